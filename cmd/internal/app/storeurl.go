package app

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
)

// storeParts are the capabilities that an engine of their own can have, in the
// order in which they are told.
var storeParts = []string{"kv", "objects", "vectors", "queue", "pubsub", "locks", "limiter", "records", "journal", "directory"}

// storeKinds are the engines, and what each has.
var storeKinds = map[string][]string{
	"sqlite":   {"kv", "vectors", "queue", "pubsub", "locks", "limiter", "records", "journal", "directory"},
	"postgres": {"kv", "vectors", "queue", "pubsub", "locks", "limiter", "records", "journal", "directory"},
	"redis":    {"kv", "pubsub", "locks", "limiter"},
	"nats":     {"kv", "queue", "pubsub"},
	"s3":       {"objects"},
	"file":     {"objects"},
	"mem":      storeParts,
}

// schemes are what a store's URL can begin with, by engine.
var schemes = map[string]string{
	"sqlite": "sqlite", "postgres": "postgres", "postgresql": "postgres", "redis": "redis", "rediss": "redis",
	"nats": "nats", "tls": "nats", "s3": "s3", "file": "file", "mem": "mem",
}

const allowedSchemes = "sqlite:///path, postgres://…, redis://…, nats://…, s3://bucket, file:///folder or mem://"

// A storeURL is one engine of a setting. It never prints its secrets.
type storeURL struct {
	kind   string // of storeKinds
	raw    string // as it was written, secrets included
	query  url.Values
	before string // raw without its query
}

// String returns the URL without user, password and parameters.
func (u *storeURL) String() string { return redactURL(u.raw) }

var userinfo = regexp.MustCompile(`//[^/]*@`)

// redactURL leaves out of one URL, or of several with commas between, all that
// may be secret.
func redactURL(raw string) string {
	before, _, _ := strings.Cut(raw, "?")
	before, _, _ = strings.Cut(before, "#")
	pieces := strings.Split(before, ",")
	for i, piece := range pieces {
		pieces[i] = userinfo.ReplaceAllString(piece, "//")
	}
	if strings.Contains(strings.Join(pieces, ","), "@") {
		scheme, _, _ := strings.Cut(before, "://") // a password with a slash or comma in it
		return scheme + "://…"
	}
	return strings.Join(pieces, ",")
}

var schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]{0,15}$`)

// parseStoreURL takes one URL apart. Errors show its scheme at most.
func parseStoreURL(raw string) (*storeURL, error) {
	scheme, rest, found := strings.Cut(raw, ":")
	if !found || schemes[scheme] == "" && (!schemeForm.MatchString(scheme) || !strings.HasPrefix(rest, "//")) {
		return nil, invalid.Secret("store", allowedSchemes+", each beginning with its scheme and a colon") // it may begin with a password
	}
	kind, ok := schemes[scheme]
	if !ok {
		allowed := allowedSchemes
		if near := nearest.Of(scheme, []string{"sqlite", "postgres", "postgresql", "redis", "rediss", "nats", "file", "mem", "s3"}); near != "" {
			allowed = near + ":, which is the nearest; all are " + allowed
		}
		return nil, invalid.Field("store", scheme+":", allowed)
	}
	u := &storeURL{kind: kind, raw: raw}
	before, query, _ := strings.Cut(raw, "?")
	u.before = before
	var err error
	if u.query, err = url.ParseQuery(query); err != nil {
		return nil, invalid.Secret("store", "parameters as ?name=value&name=value")
	}
	return u, nil
}

// only refuses parameters that the engine does not know.
func (u *storeURL) only(names ...string) error {
	for name := range u.query {
		if slices.Contains(names, name) {
			continue
		}
		allowed := "no parameters"
		if len(names) > 0 {
			allowed = "one of " + strings.Join(names, ", ")
		}
		if near := nearest.Of(name, names); near != "" {
			allowed = near + ", which is the nearest; " + allowed
		}
		return invalid.Field("store, parameter of "+u.String(), name, allowed)
	}
	return nil
}

// take returns a parameter and leaves it out of what is passed on.
func (u *storeURL) take(name string) string {
	value := u.query.Get(name)
	u.query.Del(name)
	return value
}

// rest is the URL with the parameters that were not taken.
func (u *storeURL) rest() string {
	if len(u.query) == 0 {
		return u.before
	}
	return u.before + "?" + u.query.Encode()
}

func (u *storeURL) number(name string) (int, error) {
	text := u.query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalid.Field("store, "+name, text, "a whole number")
	}
	return n, nil
}

func (u *storeURL) duration(name string) (time.Duration, error) {
	text := u.query.Get(name)
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, invalid.Field("store, "+name, text, "a duration such as 10s")
	}
	return d, nil
}

// path is the file or folder of a sqlite: or file: URL. Three slashes, or none,
// since what stands between the second and the third would be a host.
func (u *storeURL) path() (string, error) {
	_, rest, _ := strings.Cut(u.before, ":")
	if host, ok := strings.CutPrefix(rest, "//"); ok {
		if !strings.HasPrefix(host, "/") {
			return "", invalid.Field("store", u.String(), u.kind+":///path with three slashes, or "+u.kind+":path for one that begins in the working folder")
		}
		rest = host
	}
	path, err := url.PathUnescape(rest)
	if err != nil || path == "" || path == "/" {
		return "", invalid.Field("store", u.String(), u.kind+":///path, with %20 for a space")
	}
	if len(path) > 2 && path[0] == '/' && path[2] == ':' {
		path = path[1:] // a drive letter
	}
	return filepath.FromSlash(path), nil
}

// fileURL is the URL of a file, as path reads it.
func fileURL(kind, path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return kind + "://" + (&url.URL{Path: path}).EscapedPath()
}

// A storePlan is a setting, taken apart: which engine has which part.
type storePlan struct {
	urls  []*storeURL
	parts map[string]*storeURL // "" is the base, which has all that is not named
}

// parseStore reads a setting: URLs with space between, each either alone, which
// makes it the base, or as part,part=URL. The same URL twice is one engine.
func parseStore(setting string) (*storePlan, error) {
	p := &storePlan{parts: map[string]*storeURL{}}
	seen := map[string]*storeURL{}
	for word := range strings.FieldsSeq(setting) {
		names, raw := []string{""}, word
		if before, after, ok := strings.Cut(word, "="); ok && !strings.ContainsAny(before, ":/@?") {
			names, raw = strings.Split(before, ","), after
		}
		u := seen[raw]
		if u == nil {
			var err error
			if u, err = parseStoreURL(raw); err != nil {
				return nil, err
			}
			seen[raw] = u
			p.urls = append(p.urls, u)
		}
		for _, name := range names {
			if err := p.put(name, u); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

func (p *storePlan) put(part string, u *storeURL) error {
	switch {
	case part != "" && !slices.Contains(storeParts, part):
		allowed := strings.Join(storeParts, ", ")
		if near := nearest.Of(part, storeParts); near != "" {
			allowed = near + ", which is the nearest; all are " + allowed
		}
		return invalid.Field("store", part+"=", allowed)
	case p.parts[part] != nil && part == "":
		return invalid.Field("store", u.String(), "one URL alone; the others with the parts that they are for, such as kv=redis://…")
	case p.parts[part] != nil:
		return invalid.Field("store", part+"=", "each part once")
	case part != "" && !slices.Contains(storeKinds[u.kind], part):
		return invalid.Field("store", part+"="+u.String(), fmt.Sprintf("an engine that has %s; %s has %s", part, u.kind, strings.Join(storeKinds[u.kind], ", ")))
	}
	p.parts[part] = u
	return nil
}

// hasPassword tells whether a setting holds something that no other user of the
// machine may read.
func hasPassword(setting string) bool {
	for word := range strings.FieldsSeq(setting) {
		if strings.Contains(word, "password=") || strings.Contains(word, "secret") || userinfoPassword.MatchString(word) {
			return true
		}
	}
	return false
}

var userinfoPassword = regexp.MustCompile(`//[^/@]*:[^@]*@`)

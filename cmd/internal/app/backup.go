package app

import (
	"archive/tar"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

// The names inside a backup: a description, then SQLite files and folders of
// objects, numbered as the description says.
const (
	backupFormat   = "ttai backup 1"
	backupManifest = "backup.json"
)

// A Backup describes what a backup holds.
type Backup struct {
	Format  string    `json:"format"`
	Made    time.Time `json:"made"`
	Program string    `json:"program"`
	// Holds are the engines in it, in order, by kind: sqlite or file.
	Holds []string `json:"holds"`
	// LeftOut are the engines that are not in it, each with the tool that copies
	// it.
	LeftOut []string `json:"left_out,omitempty"`
	Files   int      `json:"files"`
	Bytes   int64    `json:"bytes"`
}

// ownTool says how an engine that runs elsewhere is copied.
func ownTool(u *storeURL) string {
	switch u.kind {
	case "postgres":
		return u.String() + ": use pg_dump"
	case "redis":
		return u.String() + ": it holds what may be lost; its own SAVE copies it"
	case "nats":
		return u.String() + ": use nats stream backup"
	case "s3":
		return u.String() + ": use versions or replication of the bucket"
	}
	return u.String() + ": it is gone with the process"
}

// Backup writes the store's SQLite files and folders of objects into one file,
// while all programs go on: each SQLite file as it was at one moment, then the
// objects, each whole, so that no record in it names an object that it lacks
// unless the object was deleted meanwhile. It is written beside its place and
// named when it is on disk. It does not hold the vault's master keys.
func (s *Store) Backup(ctx context.Context, file string, force bool, now time.Time) (Backup, error) {
	b := Backup{Format: backupFormat, Made: now.UTC().Truncate(time.Second), Program: Version()}
	if _, err := os.Lstat(file); err == nil && !force {
		return b, Usage(fmt.Errorf("%s is there already: choose another name, or --force to replace it", file))
	}
	var kept []*engine
	// Databases first: what they name was stored before.
	for _, kind := range []string{"sqlite", "file"} {
		for _, e := range s.engines {
			if e.url.kind == kind && !isAbsent(e.url) {
				kept = append(kept, e)
				b.Holds = append(b.Holds, kind)
			}
		}
	}
	for _, e := range s.engines {
		if e.url.kind != "sqlite" && e.url.kind != "file" {
			b.LeftOut = append(b.LeftOut, ownTool(e.url))
		}
	}
	if len(kept) == 0 {
		if len(b.LeftOut) > 0 {
			return b, fmt.Errorf("nothing of this store is a file: %s", strings.Join(b.LeftOut, "; "))
		}
		return b, fmt.Errorf("there is nothing yet at %s", s.base.url)
	}
	draft, err := os.CreateTemp(filepath.Dir(file), ".ttai-backup-*") // mode 0600
	if err != nil {
		return b, err
	}
	defer os.Remove(draft.Name()) // gone by then, or of no use
	defer draft.Close()           // closed by then, or of no use
	packed := gzip.NewWriter(draft)
	w := &backupWriter{ctx: ctx, tar: tar.NewWriter(packed), backup: &b}
	if err := w.describe(); err != nil {
		return b, err
	}
	for i, e := range kept {
		if err := w.add(i, e); err != nil {
			return b, fmt.Errorf("store %s: %w", e.url, err)
		}
	}
	if err := errors.Join(w.tar.Close(), packed.Close(), draft.Sync(), draft.Close()); err != nil {
		return b, err
	}
	return b, os.Rename(draft.Name(), file)
}

func isAbsent(u *storeURL) bool {
	at, err := u.path()
	if err == nil {
		_, err = os.Stat(at)
	}
	return errors.Is(err, fs.ErrNotExist)
}

type backupWriter struct {
	ctx    context.Context
	tar    *tar.Writer
	backup *Backup
}

func (w *backupWriter) describe() error {
	text, err := json.Marshal(w.backup)
	if err != nil {
		return err
	}
	if err := w.tar.WriteHeader(&tar.Header{Name: backupManifest, Mode: 0o600, Size: int64(len(text)), ModTime: w.backup.Made}); err != nil {
		return err
	}
	_, err = w.tar.Write(text)
	return err
}

func (w *backupWriter) add(i int, e *engine) error {
	opened, err := e.opened(w.ctx)
	if err != nil {
		return err
	}
	at, err := e.url.path()
	if err != nil {
		return err
	}
	if db, ok := opened.(*sqlite.Store); ok {
		dir, err := os.MkdirTemp(filepath.Dir(at), ".ttai-backup-") // for the owner alone
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		copied := filepath.Join(dir, "copy")
		if err := db.Backup(w.ctx, copied); err != nil {
			return err
		}
		return w.file(copied, fmt.Sprintf("%d/database", i))
	}
	return filepath.WalkDir(at, func(file string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an object that was deleted since
		}
		if err != nil || !entry.Type().IsRegular() || !isObject(entry.Name()) {
			return err
		}
		rel, err := filepath.Rel(at, file)
		if err != nil {
			return err
		}
		return ignore(w.file(file, fmt.Sprintf("%d/objects/%s", i, filepath.ToSlash(rel))), fs.ErrNotExist)
	})
}

// isObject tells the files of objects, which are named by a hash alone, from
// drafts and locks.
func isObject(name string) bool {
	return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == ""
}

// file adds one file. One that is replaced meanwhile stays the file that was
// opened.
func (w *backupWriter) file(from, name string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return err
	}
	n, err := io.Copy(w.tar, f)
	w.backup.Files++
	w.backup.Bytes += n
	return err
}

// errBackup is for what is no backup, or no longer one.
func errBackup(why string) error {
	return fmt.Errorf("backup: %w: %s", storage.ErrCorrupt, why)
}

// Restore puts a backup in place of what the store's SQLite files and folders of
// objects hold. The backup is read whole first: one that is damaged, or does not
// fit the store, changes nothing. Then databases are replaced, each in one step
// that others see whole, objects written one by one, and those removed that the
// backup does not have. When it is cut off, do it again.
func (s *Store) Restore(ctx context.Context, file string) (Backup, error) {
	var into []*engine
	for _, kind := range []string{"sqlite", "file"} {
		for _, e := range s.engines {
			if e.url.kind == kind {
				into = append(into, e)
			}
		}
	}
	if len(into) == 0 {
		return Backup{}, fmt.Errorf("nothing of this store is a file: restore %s with its own tools", s.base.url)
	}
	at, err := into[0].url.path()
	if err != nil {
		return Backup{}, err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return Backup{}, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(at), ".ttai-restore-") // for the owner alone
	if err != nil {
		return Backup{}, err
	}
	defer os.RemoveAll(dir)
	b, err := unpack(ctx, file, dir)
	if err != nil {
		return b, err
	}
	// The engines of a backup are matched with the store's in order, kind by kind.
	targets := make([]*engine, len(b.Holds))
	for i, kind := range b.Holds {
		if targets[i] = matching(into, kind, b.Holds[:i]); targets[i] == nil {
			return b, invalid.Fieldf("FILE", filepath.Base(file), "a backup that fits this store: it holds %s, and the store has fewer such engines", strings.Join(b.Holds, ", "))
		}
	}
	for i, kind := range b.Holds {
		e := targets[i]
		if err := e.restore(ctx, kind, filepath.Join(dir, fmt.Sprint(i))); err != nil {
			return b, fmt.Errorf("store %s: %w", e.url, err)
		}
	}
	return b, nil
}

func matching(engines []*engine, kind string, before []string) *engine {
	skip := 0
	for _, k := range before {
		if k == kind {
			skip++
		}
	}
	for _, e := range engines {
		if e.url.kind != kind {
			continue
		}
		if skip == 0 {
			return e
		}
		skip--
	}
	return nil
}

func (e *engine) restore(ctx context.Context, kind, from string) error {
	opened, err := e.opened(ctx)
	if err != nil {
		return err
	}
	if db, ok := opened.(*sqlite.Store); ok && kind == "sqlite" {
		return db.Restore(ctx, filepath.Join(from, "database"))
	}
	to, err := e.url.path()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer root.Close()
	kept := map[string]bool{}
	from = filepath.Join(from, "objects")
	err = filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && entry.IsDir() {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		kept[filepath.ToSlash(rel)] = true
		return place(root, file, rel)
	})
	if err != nil {
		return err
	}
	return fs.WalkDir(root.FS(), ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || kept[file] || !isObject(entry.Name()) {
			return ignore(err, fs.ErrNotExist)
		}
		return ignore(root.Remove(filepath.FromSlash(file)), fs.ErrNotExist)
	})
}

// place copies a file into the folder under a name of its own and renames it.
func place(root *os.Root, from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	if err := root.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	draft := to + ".restored"
	f, err := root.OpenFile(draft, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, source)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return root.Rename(draft, to)
}

// unpack writes a backup's files into dir, and refuses anything that is not one.
func unpack(ctx context.Context, file, dir string) (Backup, error) {
	var b Backup
	f, err := os.Open(file)
	if err != nil {
		return b, err
	}
	defer f.Close()
	packed, err := gzip.NewReader(f)
	if err != nil {
		return b, errBackup("it is not a file that 'ttai backup' wrote")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return b, err
	}
	defer root.Close()
	files := tar.NewReader(packed)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) && b.Format != "" {
			if _, err := io.Copy(io.Discard, packed); err != nil { // the checksum comes last
				return b, errBackup("it is cut off or changed")
			}
			return b, nil
		}
		if err != nil {
			return b, errBackup("it is cut off or changed")
		}
		if err := ctx.Err(); err != nil {
			return b, err
		}
		if b.Format == "" {
			if header.Name != backupManifest || json.NewDecoder(io.LimitReader(files, 1<<20)).Decode(&b) != nil || b.Format != backupFormat {
				return b, errBackup("it is not a file that 'ttai backup' of this version wrote")
			}
			continue
		}
		if err := b.unpackOne(root, header, files); err != nil {
			return b, err
		}
	}
}

func (b *Backup) unpackOne(root *os.Root, header *tar.Header, content io.Reader) error {
	words := strings.SplitN(header.Name, "/", 3)
	plain := path.Clean(header.Name) == header.Name && len(words) > 1
	object := plain && len(words) == 3 && words[1] == "objects" && isObject(path.Base(words[2]))
	if !(plain && len(words) == 2 && words[1] == "database") && !object {
		return errBackup("it has a file that does not belong there")
	}
	name := filepath.FromSlash(header.Name)
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, content)
	if err := errors.Join(err, f.Close()); err != nil {
		_, damaged := errors.AsType[flate.CorruptInputError](err)
		if damaged || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
			return errBackup("it is cut off or changed")
		}
		return err
	}
	b.Files++
	b.Bytes += n
	return nil
}

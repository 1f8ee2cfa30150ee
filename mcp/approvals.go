package mcp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
)

// ApprovalsOptions are the settings of [Server.Approvals].
type ApprovalsOptions struct {
	// Guard is whose previews are shown. Required.
	Guard *broker.Guard
	// Key opens the page: at least 16 characters without spaces, from a random
	// source, and another one than Options.Bearer, which MCP clients hold. Whoever
	// has it can approve. Required.
	Key string
	// Button is the guard's approver for a press of the page's button; nil: the page
	// has none. Its grade is broker.GradeLoopback on a page of this computer.
	Button *broker.Witness
	// Passkeys are the ids of the passkeys that the guard's passkey approver knows,
	// and RPID and PasskeyMethod are that approver's; empty: the page asks for none.
	Passkeys      [][]byte
	RPID          string
	PasskeyMethod string
}

// Approvals returns the handler of a page on which a person approves or declines
// orders. It is mounted like [Server.Page], and guarded like it, but has a key and
// a cookie of its own: neither the token of an MCP client nor the cookie of the
// other page opens it. The cookie lasts twelve hours.
//
// What is shown are the words that the guard made from the stored bytes of each
// order, never what a model said about it. Approving does not send: an order is sent
// when it is submitted. Lifting the kill switch and a change of settings, which no
// model submits, are done at once.
func (s *Server) Approvals(opts ApprovalsOptions) (http.Handler, error) {
	switch {
	case opts.Guard == nil:
		return nil, invalid.Missing("Guard", "the guard whose previews are shown")
	case len(opts.Key) < 16 || strings.ContainsAny(opts.Key, " \t\r\n"):
		return nil, invalid.Secret("Key", "at least 16 characters without spaces, from a random source")
	case opts.Key == s.opts.Bearer:
		return nil, invalid.Secret("Key", "another one than Bearer, which MCP clients hold")
	}
	a := &approvals{Server: s, ApprovalsOptions: opts, seal: newSeal(), html: template.Must(template.ParseFS(assets, "page/approve.html"))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.show)
	mux.HandleFunc("POST /{$}", a.decide)
	for name, kind := range map[string]string{"page.css": "text/css", "approve.js": "text/javascript", "icon.svg": "image/svg+xml"} {
		mux.Handle("GET /"+name, asset(name, kind))
	}
	return s.guardedPage(mux), nil
}

// approvals is the handler behind Approvals.
type approvals struct {
	*Server
	ApprovalsOptions
	seal seal
	html *template.Template
}

// approvalView fills the template in.
type approvalView struct {
	Name, Title, Notice string
	Environment         broker.Environment
	Real, Door          bool
	Problem, Said       string
	Waiting             []waitingOrder
	Passkeys, RPID      string
}

type waitingOrder struct {
	ID, What, Words, Loss, Notional string
	Expires, ExpiresISO, Challenge  string
	Grade                           broker.Grade
	Button, Passkey                 bool
}

func (a *approvals) cookieName(r *http.Request) string { return cookieName(r) + "_approve" }

// known tells whether the browser has shown the key.
func (a *approvals) known(r *http.Request) bool {
	c, err := r.Cookie(a.cookieName(r))
	if err != nil {
		return false
	}
	key, ok := a.seal.open(c.Value, a.opts.Now())
	return ok && sameKey(key, a.Key)
}

func sameKey(given, key string) bool {
	x, y := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(key))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (a *approvals) show(w http.ResponseWriter, r *http.Request) {
	if key := r.URL.Query().Get("key"); key != "" {
		a.comeIn(w, r, key)
		return
	}
	if !a.known(r) {
		a.write(w, http.StatusUnauthorized, approvalView{Title: "Approvals", Door: true})
		return
	}
	a.list(w, r, http.StatusOK, "", nil)
}

// comeIn exchanges the key for a cookie, and takes it out of the address.
func (a *approvals) comeIn(w http.ResponseWriter, r *http.Request, key string) {
	if !sameKey(key, a.Key) {
		a.write(w, http.StatusUnauthorized, approvalView{Title: "Approvals", Door: true, Problem: "This is not the key. A server that was started again has a new one."})
		return
	}
	value, err := a.seal.close(key, a.opts.Now(), cookieLife)
	if err != nil {
		a.write(w, http.StatusInternalServerError, approvalView{Title: "Approvals", Door: true, Problem: err.Error()})
		return
	}
	c := cookie(r, value, int(cookieLife/time.Second))
	c.Name = a.cookieName(r)
	http.SetCookie(w, c)
	w.Header().Set("Location", "./")
	w.WriteHeader(http.StatusSeeOther)
}

// list shows what waits, after something was said or went wrong.
func (a *approvals) list(w http.ResponseWriter, r *http.Request, status int, said string, problem error) {
	view := approvalView{Title: "Approvals", Said: said}
	pending, err := a.Guard.Pending(r.Context())
	if err = errors.Join(problem, err); err != nil {
		view.Problem = message(err)
	}
	for _, id := range a.Passkeys {
		view.Passkeys += " " + base64.RawURLEncoding.EncodeToString(id)
	}
	view.Passkeys, view.RPID = strings.TrimSpace(view.Passkeys), a.RPID
	for _, p := range pending {
		view.Waiting = append(view.Waiting, a.waiting(p))
	}
	a.write(w, status, view)
}

func (a *approvals) waiting(p broker.Prepared) waitingOrder {
	o := waitingOrder{
		ID: p.ID, What: string(p.Kind), Words: p.Words, Loss: "not known", Notional: "not known", Grade: p.Grade,
		Expires: p.Expires.UTC().Format("15:04:05 MST"), ExpiresISO: p.Expires.UTC().Format(time.RFC3339),
		Challenge: base64.RawURLEncoding.EncodeToString(p.Challenge),
		Button:    a.Button != nil && a.Button.Grade() >= p.Grade,
		Passkey:   len(a.Passkeys) > 0 && p.Grade <= broker.GradePasskey,
	}
	switch {
	case p.MaxLoss.Unbounded:
		o.Loss = "no limit"
	case p.MaxLoss.Amount != nil:
		o.Loss = p.MaxLoss.Amount.StringFixed(2)
	}
	if p.Notional != nil {
		o.Notional = p.Notional.StringFixed(2)
	}
	return o
}

// decide takes the key, or a decision about a preview.
func (a *approvals) decide(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		a.write(w, http.StatusBadRequest, approvalView{Title: "Approvals", Door: true, Problem: "the form could not be read"})
		return
	}
	form := r.PostForm
	if key := form.Get("key"); key != "" {
		a.comeIn(w, r, strings.TrimSpace(key))
		return
	}
	if !a.known(r) {
		a.write(w, http.StatusUnauthorized, approvalView{Title: "Approvals", Door: true})
		return
	}
	said, err := a.decided(r, form.Get("preview"), form.Get("decision"), form.Get("assertion"))
	status := http.StatusOK
	if err != nil {
		status = http.StatusConflict
	}
	a.list(w, r, status, said, err)
}

func (a *approvals) decided(r *http.Request, id, decision, assertion string) (string, error) {
	ctx := r.Context()
	switch decision {
	case "decline":
		return "Declined: it will not be sent.", a.Guard.Decline(ctx, id, "a person at the page")
	case "approve":
		if a.Button == nil {
			break
		}
		p, err := a.Guard.Prepared(ctx, id)
		if err != nil {
			return "", err
		}
		evidence, err := a.Button.Evidence(ctx, p, "a person at the page")
		if err != nil {
			return "", err
		}
		return a.approve(ctx, p, evidence)
	case "passkey":
		p, err := a.Guard.Prepared(ctx, id)
		if err != nil {
			return "", err
		}
		return a.approve(ctx, p, broker.Evidence{Method: a.PasskeyMethod, Data: []byte(assertion)})
	}
	return "", invalid.Field("decision", decision, "approve or decline")
}

// approve takes an approval down. What is no order is done here: no model submits
// it.
func (a *approvals) approve(ctx context.Context, p *broker.Prepared, evidence broker.Evidence) (string, error) {
	if p.Kind == broker.IntentLift || p.Kind == broker.IntentSettings {
		_, err := a.Guard.Submit(ctx, p.ID, evidence)
		return "Approved: it holds now.", err
	}
	_, err := a.Guard.Approve(ctx, p.ID, evidence)
	return "Approved: it is sent when it is submitted.", err
}

func (a *approvals) write(w http.ResponseWriter, status int, view approvalView) {
	view.Name, view.Environment = a.opts.Name, a.Guard.Environment()
	view.Real, view.Notice = view.Environment.Real(), a.opts.Notice
	if view.Problem != "" {
		view.Said = ""
	}
	var b strings.Builder
	if err := a.html.Execute(&b, view); err != nil {
		a.opts.Logger.Error("writing the page of approvals", "error", err)
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String()))
}

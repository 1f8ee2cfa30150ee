package storage

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"
)

// An Organization is the customer behind a tenant: one per tenant. Its id is
// always [OrganizationID].
type Organization struct {
	Name      string    `json:"name"`
	Plan      Plan      `json:"plan"`
	Suspended bool      `json:"suspended,omitempty"`
	Approvers Approvers `json:"approvers,omitempty"`
}

// OrganizationID is the id of a tenant's only organisation.
const OrganizationID = "organization"

// A Plan is what an organisation pays for. Unknown plans are kept as they are.
type Plan string

// The plans.
const (
	Free Plan = "free"
	Pro  Plan = "pro"
	Team Plan = "team"
)

// A User is a person of an organisation.
type User struct {
	ID        string `json:"id"`
	Email     string `json:"email"` // of NormalEmail's form; unique in the organisation
	Name      string `json:"name,omitempty"`
	Role      Role   `json:"role"`
	State     State  `json:"state"`
	InvitedBy string `json:"invited_by,omitempty"` // a user's id
}

// A State is where a user stands.
type State string

// The states of a user. Only active users may do anything.
const (
	Invited   State = "invited"
	Active    State = "active"
	Suspended State = "suspended"
)

// A Session is somebody's login. Only a hash of the session's secret is kept, as
// its ID.
type Session struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Client  string    `json:"client,omitempty"` // what the person sees: "Claude Desktop on Linux"
}

// A Secret record holds ciphertext of the vault: an OAuth token or a broker's
// credentials. Nothing else about it is secret.
type Secret struct {
	User       string    `json:"user"`
	Provider   string    `json:"provider"`
	KeyVersion int       `json:"key_version"`
	Ciphertext []byte    `json:"ciphertext"`
	Expires    time.Time `json:"expires,omitzero"` // of a token; zero means unknown
}

// Preferences are one user's settings.
type Preferences struct {
	User     string            `json:"user"`
	TimeZone string            `json:"time_zone,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
}

// A Position is what is, or was, held in an account. Money is signed: paid −,
// received +.
type Position struct {
	ID       string          `json:"id"`
	User     string          `json:"user"`
	Account  string          `json:"account"`
	Symbol   string          `json:"symbol"`
	Quantity decimal.Decimal `json:"quantity"` // short is negative
	Cost     decimal.Decimal `json:"cost"`
	Opened   time.Time       `json:"opened"`
	Closed   *time.Time      `json:"closed,omitempty"` // nil while it is open
}

// An Analysis is a finished analysis of a symbol.
type Analysis struct {
	ID       string          `json:"id"`
	User     string          `json:"user"`
	Symbol   string          `json:"symbol"`
	Time     time.Time       `json:"time"`
	Verdict  string          `json:"verdict,omitempty"`
	Document json.RawMessage `json:"document"` // as the analysts wrote it
}

// A Screener is a saved search for symbols.
type Screener struct {
	ID       string          `json:"id"`
	User     string          `json:"user"`
	Name     string          `json:"name"`
	Criteria json.RawMessage `json:"criteria"`
}

// A ScreenerResult is what a screener found at one time.
type ScreenerResult struct {
	ID       string          `json:"id"`
	Screener string          `json:"screener"`
	Time     time.Time       `json:"time"`
	Symbols  []string        `json:"symbols"`
	Details  json.RawMessage `json:"details,omitempty"`
}

// An Alert waits for something to happen.
type Alert struct {
	ID        string          `json:"id"`
	User      string          `json:"user"`
	Symbol    string          `json:"symbol"`
	Rule      json.RawMessage `json:"rule"`
	Active    bool            `json:"active"`
	Triggered *time.Time      `json:"triggered,omitempty"` // nil: not yet
}

// A Watchlist is a named list of symbols.
type Watchlist struct {
	ID      string   `json:"id"`
	User    string   `json:"user"`
	Name    string   `json:"name"`
	Symbols []string `json:"symbols"`
}

// A Strategy is a configured trading strategy.
type Strategy struct {
	ID         string          `json:"id"`
	User       string          `json:"user"`
	Name       string          `json:"name"`
	Kind       string          `json:"kind"` // "gamma-scalping"
	Account    string          `json:"account,omitempty"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Active     bool            `json:"active"`
}

// A Trade is one fill. Money is signed: paid −, received +.
type Trade struct {
	ID       string          `json:"id"`
	User     string          `json:"user"`
	Account  string          `json:"account"`
	Strategy string          `json:"strategy,omitempty"` // a strategy's id
	Symbol   string          `json:"symbol"`
	Quantity decimal.Decimal `json:"quantity"` // sold is negative
	Price    decimal.Decimal `json:"price"`
	Amount   decimal.Decimal `json:"amount"`
	Fees     decimal.Decimal `json:"fees"`
	Time     time.Time       `json:"time"`
}

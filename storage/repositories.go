package storage

import "github.com/ttai-go/ttai/internal/invalid"

// Repositories are the tenant's typed records. Each is listed by id, and by the
// fields named beside it: text fields "user", "symbol", … and number fields, which
// are times in seconds since 1970.
type Repositories struct {
	Records Records // for batches over several of them

	Organization    *Collection[Organization]
	Users           *Collection[User]           // email (unique), role, state
	Sessions        *Collection[Session]        // user; expires
	Tokens          *Collection[Secret]         // OAuth: user, provider; expires. Id: SecretID
	Preferences     *Collection[Preferences]    // id: the user's
	Positions       *Collection[Position]       // user, account, symbol, status (open, closed); opened
	Analyses        *Collection[Analysis]       // user, symbol; time
	Screeners       *Collection[Screener]       // user
	ScreenerResults *Collection[ScreenerResult] // screener; time
	Alerts          *Collection[Alert]          // user, symbol, status (active, idle)
	Watchlists      *Collection[Watchlist]      // user
	Credentials     *Collection[Secret]         // user, provider. Id: SecretID
	Strategies      *Collection[Strategy]       // user, kind, status (active, idle)
	Trades          *Collection[Trade]          // user, account, strategy, symbol; time
}

// Collections returns the names of all collections that [Repositories] use.
func Collections() []string {
	return []string{
		"organization", "users", "sessions", "tokens", "preferences", "positions", "analyses", "screeners", "screener-results", "alerts",
		"watchlists", "credentials", "strategies", "trades",
	}
}

// SecretID is the id of a user's secret for a provider. No two pairs share one.
func SecretID(user, provider string) string {
	return provider + "/" + user
}

// Open returns a tenant's repositories.
func Open(tenant Tenant) (*Repositories, error) {
	r, err := tenant.Records()
	if err != nil {
		return nil, err
	}
	secret := func(collection string) *Collection[Secret] {
		return NewCollection(r, Kind[Secret]{
			Collection: collection,
			ID:         func(v *Secret) string { return SecretID(v.User, v.Provider) },
			Check: func(v *Secret) error {
				if err := CheckName("provider", v.Provider); err != nil {
					return err // without a slash: see SecretID
				}
				if len(v.Ciphertext) == 0 {
					return invalid.Secret("ciphertext", "what the vault made")
				}
				return CheckText("user", v.User, 128)
			},
			Fields: func(v *Secret) []Field {
				f := []Field{Text("user", v.User), Text("provider", v.Provider)}
				if !v.Expires.IsZero() {
					f = append(f, Time("expires", v.Expires))
				}
				return f
			},
		})
	}
	status := func(active bool) Field {
		if active {
			return Text("status", "active")
		}
		return Text("status", "idle")
	}
	return &Repositories{
		Records: r,
		Organization: NewCollection(r, Kind[Organization]{
			Collection: "organization", ID: func(*Organization) string { return OrganizationID },
			Check: func(v *Organization) error {
				if err := CheckText("name", v.Name, 256); err != nil {
					return err
				}
				return v.Approvers.validate()
			},
		}),
		Users: NewCollection(r, Kind[User]{
			Collection: "users", ID: func(v *User) string { return v.ID }, Check: checkUser,
			Fields: func(v *User) []Field {
				return []Field{Unique("email", v.Email), Text("role", string(v.Role)), Text("state", string(v.State))}
			},
		}),
		Sessions: NewCollection(r, Kind[Session]{
			Collection: "sessions", ID: func(v *Session) string { return v.ID },
			Fields: func(v *Session) []Field { return []Field{Text("user", v.User), Time("expires", v.Expires)} },
		}),
		Tokens:      secret("tokens"),
		Credentials: secret("credentials"),
		Preferences: NewCollection(r, Kind[Preferences]{
			Collection: "preferences", ID: func(v *Preferences) string { return v.User },
		}),
		Positions: NewCollection(r, Kind[Position]{
			Collection: "positions", ID: func(v *Position) string { return v.ID },
			Fields: func(v *Position) []Field {
				state := "open"
				if v.Closed != nil {
					state = "closed"
				}
				return []Field{Text("user", v.User), Text("account", v.Account), Text("symbol", v.Symbol), Text("status", state), Time("opened", v.Opened)}
			},
		}),
		Analyses: NewCollection(r, Kind[Analysis]{
			Collection: "analyses", ID: func(v *Analysis) string { return v.ID },
			Fields: func(v *Analysis) []Field {
				return []Field{Text("user", v.User), Text("symbol", v.Symbol), Time("time", v.Time)}
			},
		}),
		Screeners: NewCollection(r, Kind[Screener]{
			Collection: "screeners", ID: func(v *Screener) string { return v.ID },
			Fields: func(v *Screener) []Field { return []Field{Text("user", v.User)} },
		}),
		ScreenerResults: NewCollection(r, Kind[ScreenerResult]{
			Collection: "screener-results", ID: func(v *ScreenerResult) string { return v.ID },
			Fields: func(v *ScreenerResult) []Field {
				return []Field{Text("screener", v.Screener), Time("time", v.Time)}
			},
		}),
		Alerts: NewCollection(r, Kind[Alert]{
			Collection: "alerts", ID: func(v *Alert) string { return v.ID },
			Fields: func(v *Alert) []Field {
				return []Field{Text("user", v.User), Text("symbol", v.Symbol), status(v.Active)}
			},
		}),
		Watchlists: NewCollection(r, Kind[Watchlist]{
			Collection: "watchlists", ID: func(v *Watchlist) string { return v.ID },
			Fields: func(v *Watchlist) []Field { return []Field{Text("user", v.User)} },
		}),
		Strategies: NewCollection(r, Kind[Strategy]{
			Collection: "strategies", ID: func(v *Strategy) string { return v.ID },
			Fields: func(v *Strategy) []Field {
				return []Field{Text("user", v.User), Text("kind", v.Kind), status(v.Active)}
			},
		}),
		Trades: NewCollection(r, Kind[Trade]{
			Collection: "trades", ID: func(v *Trade) string { return v.ID },
			Fields: func(v *Trade) []Field {
				return []Field{
					Text("user", v.User), Text("account", v.Account), Text("strategy", v.Strategy), Text("symbol", v.Symbol), Time("time", v.Time),
				}
			},
		}),
	}, nil
}

func checkUser(v *User) error {
	email, err := NormalEmail(v.Email)
	if err != nil {
		return err
	}
	if email != v.Email {
		return invalid.Field("email", v.Email, "an address in lower case without space around it")
	}
	switch v.State {
	case Invited, Active, Suspended:
	default:
		return invalid.Field("state", string(v.State), "invited, active or suspended")
	}
	return v.Role.validate()
}

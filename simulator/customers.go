package simulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Customer is someone with credentials and accounts of their own. No customer
// reaches the accounts, lists and alerts of another.
type Customer struct {
	// ID is the customer's number. Empty: the position in Options.Customers,
	// counted from 1.
	ID string
	// FirstName, LastName and Email; empty: Demo, Customer and demo@example.com.
	FirstName, LastName, Email string
	// Credentials that are accepted. Empty fields are filled at random, and with
	// the numbers of Accounts.
	Credentials Credentials
	// Accounts are what the customer holds. Nil: for the first customer the demo
	// accounts, for others none.
	Accounts []AccountState
}

// A customer is a Customer being served.
type customer struct {
	id          string
	profile     Customer
	credentials Credentials
	lists       listBook
	grant       grant
	backtests   backtestBook
}

type customerKey struct{}

// caller is the customer whose token a request carries.
func caller(r *http.Request) *customer {
	c, _ := r.Context().Value(customerKey{}).(*customer)
	return c
}

func asCustomer(r *http.Request, c *customer) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), customerKey{}, c))
}

// setCustomers checks the customers given, or makes the one of the options.
func (s *Simulator) setCustomers(o *Options) error {
	list := o.Customers
	switch {
	case list == nil:
		list = []Customer{{Credentials: o.Credentials, Accounts: o.Accounts}}
	case o.Accounts != nil || o.Credentials.set():
		return invalid.Field("Customers", len(list), "Customers, or Accounts and Credentials for the only one, not both")
	case len(list) == 0:
		return invalid.Missing("Customers", "one customer or more; nil for the demo customer")
	}
	for i := range list {
		given := &list[i]
		c := &customer{id: given.ID, profile: *given}
		if c.id == "" {
			c.id = strconv.Itoa(i + 1)
		}
		field := fmt.Sprintf("Customers[%d]", i)
		if c.id == "me" || !plainText(c.id) {
			return invalid.Field(field+".ID", c.id, "letters, digits, '-' and '_', other than me")
		}
		if slices.ContainsFunc(s.customers, func(other *customer) bool { return other.id == c.id }) {
			return invalid.Field(field+".ID", c.id, "a number that no other customer has")
		}
		accounts := given.Accounts
		if i == 0 && accounts == nil {
			accounts, s.book.seed = demoAccounts(), true
		}
		prefix := field + "."
		if o.Customers == nil {
			prefix = ""
		}
		numbers, err := s.addAccounts(prefix, accounts)
		if err != nil {
			return err
		}
		if c.credentials, err = s.fillCredentials(given.Credentials); err != nil {
			return err
		}
		c.credentials.Accounts = numbers
		for _, other := range s.customers {
			if other.credentials.RefreshToken == c.credentials.RefreshToken {
				return invalid.Secret(field+".Credentials.RefreshToken", "a refresh token that no other customer has")
			}
		}
		s.customers = append(s.customers, c)
	}
	return nil
}

func plainText(text string) bool {
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return text != "" && len(text) <= 40
}

// holder is the customer whose account it is.
func (s *Simulator) holder(account string) *customer {
	for _, c := range s.customers {
		if slices.Contains(c.credentials.Accounts, account) {
			return c
		}
	}
	return nil
}

// fillCredentials fills in at random what is not given.
func (s *Simulator) fillCredentials(c Credentials) (Credentials, error) {
	for _, field := range []*string{&c.ClientID, &c.ClientSecret, &c.RefreshToken} {
		if *field != "" {
			continue
		}
		secret, err := newSecret(s.random, 20)
		if err != nil {
			return c, fmt.Errorf("simulator: making credentials: %w", err)
		}
		*field = secret
	}
	return c, nil
}

// customer checks the path's customer before a handler.
func (s *Simulator) customer(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if id := r.PathValue("customer"); id != "me" && id != caller(r).id {
			s.refuse(w, http.StatusForbidden, "not_permitted", "User not permitted access")
			return
		}
		next(w, r)
	}
}

type wireAddress struct {
	City        string `json:"city"`
	Country     string `json:"country"`
	IsDomestic  bool   `json:"is-domestic"`
	IsForeign   bool   `json:"is-foreign"`
	PostalCode  string `json:"postal-code"`
	StateRegion string `json:"state-region"`
	StreetOne   string `json:"street-one"`
}

type wireMarginType struct {
	IsMargin bool   `json:"is_margin"`
	Name     string `json:"name"`
}

// A wireAccountType has names with underscores, as the service's have here.
type wireAccountType struct {
	Description         string           `json:"description"`
	HasMultipleOwners   bool             `json:"has_multiple_owners"`
	IsPubliclyAvailable bool             `json:"is_publicly_available"`
	IsTaxAdvantaged     bool             `json:"is_tax_advantaged"`
	MarginTypes         []wireMarginType `json:"margin_types"`
	Name                string           `json:"name"`
}

type wireCustomer struct {
	Address                         wireAddress       `json:"address"`
	AgreedToMargining               bool              `json:"agreed-to-margining"`
	BirthDate                       string            `json:"birth-date"`
	CreatedAt                       string            `json:"created-at"`
	Email                           string            `json:"email"`
	FirstName                       string            `json:"first-name"`
	HasDelayedQuotes                bool              `json:"has-delayed-quotes"`
	HasIndustryAffiliation          bool              `json:"has-industry-affiliation"`
	HasListedAffiliation            bool              `json:"has-listed-affiliation"`
	HasPendingOrApprovedApplication bool              `json:"has-pending-or-approved-application"`
	HasPoliticalAffiliation         bool              `json:"has-political-affiliation"`
	ID                              string            `json:"id"`
	IsForeign                       bool              `json:"is-foreign"`
	IsProfessional                  bool              `json:"is-professional"`
	LastName                        string            `json:"last-name"`
	MailingAddress                  wireAddress       `json:"mailing-address"`
	MobilePhoneNumber               string            `json:"mobile-phone-number"`
	PermittedAccountTypes           []wireAccountType `json:"permitted-account-types"`
	SubjectToTaxWithholding         bool              `json:"subject-to-tax-withholding"`
	TaxNumberType                   string            `json:"tax-number-type"`
	USACitizenshipType              string            `json:"usa-citizenship-type"`
}

// otherwise is text, or what stands for an empty one.
func otherwise(text, usual string) string {
	if text == "" {
		return usual
	}
	return text
}

// getCustomer serves GET /customers/{customer}: nobody in particular.
func (s *Simulator) getCustomer(w http.ResponseWriter, r *http.Request) {
	c := caller(r)
	home := wireAddress{City: "Chicago", Country: "US", IsDomestic: true, PostalCode: "60601", StateRegion: "IL", StreetOne: "1 Simulated Street"}
	writeData(w, r, wireCustomer{
		Address: home, MailingAddress: home, AgreedToMargining: true, BirthDate: "1980-01-01", CreatedAt: wireTime(s.customerSince()),
		Email: otherwise(c.profile.Email, "demo@example.com"), FirstName: otherwise(c.profile.FirstName, "Demo"),
		LastName: otherwise(c.profile.LastName, "Customer"), HasPendingOrApprovedApplication: true, ID: c.id,
		MobilePhoneNumber: "+15555550100", TaxNumberType: "SSN", USACitizenshipType: "Citizen",
		PermittedAccountTypes: []wireAccountType{{
			Name: "Individual", IsPubliclyAvailable: true, MarginTypes: []wireMarginType{{Name: "Cash"}, {Name: "Reg T", IsMargin: true}},
		}},
	})
}

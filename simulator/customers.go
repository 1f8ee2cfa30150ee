package simulator

import "net/http"

// customerID is the number of the one customer, beside "me".
const customerID = "1"

// customer checks the path's customer before a handler.
func (s *Simulator) customer(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if id := r.PathValue("customer"); id != "me" && id != customerID {
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

// getCustomer serves GET /customers/{customer}: nobody in particular.
func (s *Simulator) getCustomer(w http.ResponseWriter, r *http.Request) {
	home := wireAddress{City: "Chicago", Country: "US", IsDomestic: true, PostalCode: "60601", StateRegion: "IL", StreetOne: "1 Simulated Street"}
	writeData(w, r, wireCustomer{
		Address: home, MailingAddress: home, AgreedToMargining: true, BirthDate: "1980-01-01", CreatedAt: wireTime(s.customerSince()),
		Email: "demo@example.com", FirstName: "Demo", LastName: "Customer", HasPendingOrApprovedApplication: true, ID: customerID,
		MobilePhoneNumber: "+15555550100", TaxNumberType: "SSN", USACitizenshipType: "Citizen",
		PermittedAccountTypes: []wireAccountType{{
			Name: "Individual", IsPubliclyAvailable: true, MarginTypes: []wireMarginType{{Name: "Cash"}, {Name: "Reg T", IsMargin: true}},
		}},
	})
}

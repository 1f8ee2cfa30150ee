package tastytrade

import (
	"context"
	"encoding/json"
	"time"
)

// A CustomerID names a customer; the credential's own is [Me].
type CustomerID string

// Me is the customer that the credential belongs to.
const Me CustomerID = "me"

// A Customer is a person or an entity with accounts. Most of it is personal
// data: keep it out of logs.
type Customer struct {
	Object
	ID                              ID                     `json:"id"`
	UserID                          ID                     `json:"user-id"`
	PrefixName                      string                 `json:"prefix-name"`
	FirstName                       string                 `json:"first-name"`
	MiddleName                      string                 `json:"middle-name"`
	LastName                        string                 `json:"last-name"`
	FirstSurname                    string                 `json:"first-surname"`
	SecondSurname                   string                 `json:"second-surname"`
	SuffixName                      string                 `json:"suffix-name"`
	Email                           string                 `json:"email"`
	BirthDate                       Date                   `json:"birth-date"`
	BirthCountry                    string                 `json:"birth-country"`
	CitizenshipCountry              string                 `json:"citizenship-country"`
	USACitizenshipType              string                 `json:"usa-citizenship-type"`
	Gender                          string                 `json:"gender"`
	Address                         *Address               `json:"address"`
	MailingAddress                  *Address               `json:"mailing-address"`
	HomePhoneNumber                 string                 `json:"home-phone-number"`
	HomePhoneNumberDetails          string                 `json:"home-phone-number-details"`
	MobilePhoneNumber               string                 `json:"mobile-phone-number"`
	MobilePhoneNumberDetails        string                 `json:"mobile-phone-number-details"`
	WorkPhoneNumber                 string                 `json:"work-phone-number"`
	WorkPhoneNumberDetails          string                 `json:"work-phone-number-details"`
	TaxNumber                       string                 `json:"tax-number"`
	TaxNumberType                   string                 `json:"tax-number-type"`
	ForeignTaxNumber                string                 `json:"foreign-tax-number"`
	VisaType                        string                 `json:"visa-type"`
	VisaExpirationDate              Date                   `json:"visa-expiration-date"`
	RegulatoryDomain                string                 `json:"regulatory-domain"`
	IsForeign                       bool                   `json:"is-foreign"`
	IsProfessional                  bool                   `json:"is-professional"` // pays the exchanges' professional rates
	IsInvestmentAdviser             bool                   `json:"is-investment-adviser"`
	HasDelayedQuotes                bool                   `json:"has-delayed-quotes"`
	HasPendingOrApprovedApplication bool                   `json:"has-pending-or-approved-application"`
	HasIndustryAffiliation          bool                   `json:"has-industry-affiliation"`
	IndustryAffiliationFirm         string                 `json:"industry-affiliation-firm"`
	HasListedAffiliation            bool                   `json:"has-listed-affiliation"`
	ListedAffiliationSymbol         string                 `json:"listed-affiliation-symbol"`
	HasPoliticalAffiliation         bool                   `json:"has-political-affiliation"`
	PoliticalOrganization           string                 `json:"political-organization"`
	FamilyMemberNames               string                 `json:"family-member-names"`
	HasInstitutionalAssets          bool                   `json:"has-institutional-assets"`
	AgreedToMargining               bool                   `json:"agreed-to-margining"`
	AgreedToTerms                   bool                   `json:"agreed-to-terms"`
	SignatureOfAgreement            bool                   `json:"signature-of-agreement"`
	SubjectToTaxWithholding         bool                   `json:"subject-to-tax-withholding"`
	IdentifiableType                string                 `json:"identifiable-type"` // "Person" or an entity's kind
	ExternalID                      string                 `json:"external-id"`
	ExtCRMID                        string                 `json:"ext-crm-id"`
	DeskCustomerID                  string                 `json:"desk-customer-id"`
	Suitability                     *CustomerSuitability   `json:"customer-suitability"`
	PermittedAccountTypes           []PermittedAccountType `json:"permitted-account-types"`
	Person                          json.RawMessage        `json:"person"` // as the broker sends it
	Entity                          json.RawMessage        `json:"entity"` // of a trust or a company; as the broker sends it
	CreatedAt                       time.Time              `json:"created-at"`
}

var customerCodec = codecFor[Customer]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *Customer) UnmarshalJSON(data []byte) error { return customerCodec.unmarshal(data, c) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c Customer) MarshalJSON() ([]byte, error) { return customerCodec.marshal(c) }

// String hides the personal data.
func (c Customer) String() string { return "Customer{" + redacted + "}" }

// GoString hides the personal data.
func (c Customer) GoString() string { return c.String() }

// An Address is where a customer lives or gets mail.
type Address struct {
	Object
	StreetOne   string `json:"street-one"`
	StreetTwo   string `json:"street-two"`
	StreetThree string `json:"street-three"`
	City        string `json:"city"`
	StateRegion string `json:"state-region"`
	PostalCode  string `json:"postal-code"`
	Country     string `json:"country"`
	IsDomestic  bool   `json:"is-domestic"`
	IsForeign   bool   `json:"is-foreign"`
}

var addressCodec = codecFor[Address]()

// UnmarshalJSON keeps the JSON; see [Object].
func (a *Address) UnmarshalJSON(data []byte) error { return addressCodec.unmarshal(data, a) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (a Address) MarshalJSON() ([]byte, error) { return addressCodec.marshal(a) }

// CustomerSuitability is what a customer said about means and experience.
type CustomerSuitability struct {
	Object
	ID                                ID     `json:"id"`
	CustomerID                        ID     `json:"customer-id"`
	EmploymentStatus                  string `json:"employment-status"`
	EmployerName                      string `json:"employer-name"`
	JobTitle                          string `json:"job-title"`
	Occupation                        string `json:"occupation"`
	MaritalStatus                     string `json:"marital-status"`
	NumberOfDependents                ID     `json:"number-of-dependents"`
	TaxBracket                        string `json:"tax-bracket"`
	AnnualNetIncome                   ID     `json:"annual-net-income"` // dollars
	NetWorth                          ID     `json:"net-worth"`         // dollars
	LiquidNetWorth                    ID     `json:"liquid-net-worth"`  // dollars
	StockTradingExperience            string `json:"stock-trading-experience"`
	CoveredOptionsTradingExperience   string `json:"covered-options-trading-experience"`
	UncoveredOptionsTradingExperience string `json:"uncovered-options-trading-experience"`
	FuturesTradingExperience          string `json:"futures-trading-experience"`
}

var customerSuitabilityCodec = codecFor[CustomerSuitability]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *CustomerSuitability) UnmarshalJSON(data []byte) error {
	return customerSuitabilityCodec.unmarshal(data, c)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c CustomerSuitability) MarshalJSON() ([]byte, error) {
	return customerSuitabilityCodec.marshal(c)
}

// A PermittedAccountType is a kind of account that a customer may open.
type PermittedAccountType struct {
	Object
	Name                string              `json:"name"`
	Description         string              `json:"description"`
	IsTaxAdvantaged     bool                `json:"is_tax_advantaged"`
	HasMultipleOwners   bool                `json:"has_multiple_owners"`
	IsPubliclyAvailable bool                `json:"is_publicly_available"`
	MarginTypes         []AccountMarginType `json:"margin_types"`
}

var permittedAccountTypeCodec = codecFor[PermittedAccountType]()

// UnmarshalJSON keeps the JSON; see [Object].
func (p *PermittedAccountType) UnmarshalJSON(data []byte) error {
	return permittedAccountTypeCodec.unmarshal(data, p)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (p PermittedAccountType) MarshalJSON() ([]byte, error) {
	return permittedAccountTypeCodec.marshal(p)
}

// An AccountMarginType says whether a kind of account lends money.
type AccountMarginType struct {
	Object
	Name     string `json:"name"`
	IsMargin bool   `json:"is_margin"`
}

var accountMarginTypeCodec = codecFor[AccountMarginType]()

// UnmarshalJSON keeps the JSON; see [Object].
func (a *AccountMarginType) UnmarshalJSON(data []byte) error {
	return accountMarginTypeCodec.unmarshal(data, a)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (a AccountMarginType) MarshalJSON() ([]byte, error) { return accountMarginTypeCodec.marshal(a) }

// CustomersService reads customers and their accounts, for credentials that
// reach more than one customer; [AccountsService] is the short form for one's own.
type CustomersService struct{ client *Client }

// Get returns a customer; an empty id is [Me].
//
// GET /customers/{customer}
func (s *CustomersService) Get(ctx context.Context, id CustomerID) (*Customer, error) {
	return one[Customer](ctx, s.client, get("/customers/{customer}", id.orMe()), customerCodec)
}

// Accounts returns the accounts of a customer, closed ones included; an empty
// id is [Me].
//
// GET /customers/{customer}/accounts
func (s *CustomersService) Accounts(ctx context.Context, id CustomerID) ([]CustomerAccount, error) {
	out, _, err := many[CustomerAccount](ctx, s.client, get("/customers/{customer}/accounts", id.orMe()), customerAccountCodec)
	return out, err
}

// Account returns one account of a customer; an empty id is [Me].
//
// GET /customers/{customer}/accounts/{account}
func (s *CustomersService) Account(ctx context.Context, id CustomerID, account AccountNumber) (*Account, error) {
	return one[Account](ctx, s.client, get("/customers/{customer}/accounts/{account}", id.orMe(), string(account)), accountCodec)
}

func (id CustomerID) orMe() string {
	if id == "" {
		id = Me
	}
	return string(id)
}

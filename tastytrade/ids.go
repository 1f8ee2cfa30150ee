package tastytrade

import (
	"github.com/ttai-go/ttai/internal/civil"
	"github.com/ttai-go/ttai/internal/invalid"
)

// A Date is a calendar day; the zero Date means "no date".
type Date = civil.Date

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) { return civil.ParseDate(s) }

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// An AccountNumber names an account.
type AccountNumber string

// An ID is an identifier of the broker's. It arrives as a number or as a
// string; both are kept as text.
type ID string

package tastytrade_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/tastytrade"
)

func TestMembersThatNoFieldReadsAreNamed(t *testing.T) {
	order := decode[tastytrade.Order](t, `{"id":1,"status":"Live","brand-new":1,"price":"1.5","price-effect":"Debit",
		"legs":[{"symbol":"SPY","quantity":1},{"symbol":"QQQ","other-new":[1]}]}`)
	want := []string{"brand-new", "legs[].other-new"}
	assert.Equal(t, want, tastytrade.Unclaimed(order))
	assert.Equal(t, want, tastytrade.Unclaimed(&order))
	assert.Equal(t, []string{"[].brand-new", "[].legs[].other-new"}, tastytrade.Unclaimed(&tastytrade.Page[tastytrade.Order]{Items: []tastytrade.Order{order}}))
	assert.Empty(t, tastytrade.Unclaimed(decode[tastytrade.Order](t, `{"id":1,"accountNumber":"5WX1"}`)), "another spelling is the same name")
	assert.Empty(t, tastytrade.Unclaimed(nil))
}

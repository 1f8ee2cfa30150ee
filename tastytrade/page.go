package tastytrade

import (
	"iter"
	"net/url"
	"strconv"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Pagination says where in a list a page lies.
type Pagination struct {
	Object
	PerPage          int    `json:"per-page"`
	PageOffset       int    `json:"page-offset"` // index of this page, from 0
	ItemOffset       int    `json:"item-offset"`
	TotalItems       int    `json:"total-items"`
	TotalPages       int    `json:"total-pages"`
	CurrentItemCount int    `json:"current-item-count"`
	PreviousLink     string `json:"previous-link"`
	NextLink         string `json:"next-link"`
	// PagingLinkTemplate is the link of any page, with a place for its offset.
	PagingLinkTemplate string `json:"paging-link-template"`
}

var paginationCodec = codecFor[Pagination]()

// UnmarshalJSON keeps the JSON; see [Object].
func (p *Pagination) UnmarshalJSON(data []byte) error { return paginationCodec.unmarshal(data, p) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (p Pagination) MarshalJSON() ([]byte, error) { return paginationCodec.marshal(p) }

// A Page is one answer of a list that comes in parts.
type Page[T any] struct {
	Items      []T
	Pagination *Pagination // nil when the broker did not say
}

// More reports whether pages follow.
func (p *Page[T]) More() bool {
	return p.Pagination != nil && len(p.Items) > 0 && p.Pagination.PageOffset+1 < p.Pagination.TotalPages
}

// paging adds the page of a list. most is the largest page that the route
// gives; 0 when the broker does not say.
func paging(q url.Values, perPage, pageOffset, most int) error {
	switch {
	case perPage < 0, most > 0 && perPage > most:
		allowed := "0 or more"
		if most > 0 {
			allowed = "0 to " + strconv.Itoa(most)
		}
		return invalid.Field("per-page", perPage, allowed)
	case pageOffset < 0:
		return invalid.Field("page-offset", pageOffset, "0 or more")
	}
	if perPage > 0 {
		q.Set("per-page", strconv.Itoa(perPage))
	}
	if pageOffset > 0 {
		q.Set("page-offset", strconv.Itoa(pageOffset))
	}
	return nil
}

// pages yields the items of one page after the other. It ends at the first error.
func pages[T any](fetch func(offset int) (*Page[T], error), offset int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for ; ; offset++ {
			page, err := fetch(offset)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			// Counted here and not by what the answer says: a server that always
			// gives the first page must not be asked for ever.
			if len(page.Items) == 0 || page.Pagination == nil || offset+1 >= page.Pagination.TotalPages {
				return
			}
		}
	}
}

package tastytrade

import (
	"iter"
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
			if !page.More() {
				return
			}
		}
	}
}

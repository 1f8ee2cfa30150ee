package knowledge

import (
	"context"

	"github.com/ttai-go/ttai/storage"
)

// Thesaurus is what hashing knows of trading.
const Thesaurus = thesaurus

// CollectionNamed is the name of the vectors of a model.
func CollectionNamed(model string, dims int) string {
	return index{Model: model, Dims: dims}.collection()
}

// CollectionOf is the name of the vectors of the index that records name.
func CollectionOf(ctx context.Context, records storage.Records) string {
	s := storage.NewCollection(records, storage.Kind[index]{Collection: stateCollection, ID: func(i *index) string { return i.ID }})
	i, err := s.Get(ctx, indexID)
	if err != nil {
		return "none"
	}
	return i.Value.collection()
}

package knowledge

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// An Embedder makes vectors of texts, so that texts of like meaning get vectors of
// like direction. Implementations are safe for concurrent use. [Hashing] works
// offline; openai.Embedder asks any compatible server.
type Embedder interface {
	// Model names what makes the vectors. Vectors of different names cannot be
	// compared: whatever changes them must change the name.
	Model() string
	// Dims is how many numbers a vector has, 1 to 4096.
	Dims() int
	// Embed returns one vector for each text, in order. A text that has nothing
	// to embed gets nil, and is found by its words alone.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

func checkEmbedder(e Embedder) error {
	if d := e.Dims(); d < 1 || d > 4096 {
		return invalid.Field("Embedder", d, "one of 1 to 4096 dimensions")
	}
	return storage.CheckText("Embedder", e.Model(), 200)
}

// vectorsOf calls an embedder and checks what it returned.
func vectorsOf(ctx context.Context, e Embedder, texts []string) ([][]float32, error) {
	vectors, err := e.Embed(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("knowledge: embedding with %s: %w", e.Model(), err)
	}
	if len(vectors) != len(texts) {
		return nil, fmt.Errorf("knowledge: embedding with %s: %d vectors for %d texts", e.Model(), len(vectors), len(texts))
	}
	for _, v := range vectors {
		if v == nil {
			continue
		}
		if err := storage.CheckVector("vector", v, e.Dims()); err != nil {
			return nil, fmt.Errorf("knowledge: embedding with %s: %w", e.Model(), err)
		}
	}
	return vectors, nil
}

// A Hashing embedder needs no model. Each word of a text, its parts of three to
// five letters, its pairs of neighbours and the subjects that a small thesaurus of
// trading knows it to name add ±1, weighted, to places of the vector that a hash
// chooses, and the sum is brought to length 1. Words in common, words of one stem
// and words of one subject make texts alike; it knows no other meaning.
//
// Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning",
// ICML 2009; parts of words as in Bojanowski et al., "Enriching Word Vectors with
// Subword Information", TACL 2017.
type Hashing struct{ dims int }

// NewHashing returns a hashing embedder of so many dimensions, 16 to 4096; 0
// means 256.
func NewHashing(dims int) (*Hashing, error) {
	if dims == 0 {
		dims = 256
	}
	if dims < 16 || dims > 4096 {
		return nil, invalid.Field("dims", dims, "16 to 4096, or 0 for 256")
	}
	return &Hashing{dims}, nil
}

// Model names the version of the features and the number of dimensions.
func (h *Hashing) Model() string { return fmt.Sprintf("hashing/1-%d", h.dims) }

// Dims returns the number of dimensions.
func (h *Hashing) Dims() int { return h.dims }

// Free reports that embedding costs nothing.
func (h *Hashing) Free() bool { return true }

// How much the kinds of features count.
const (
	weightWord    = 1.0
	weightPair    = 0.5
	weightPart    = 0.25
	weightSubject = 1.5

	longestWord = 40
)

// Embed embeds texts; it fails only when ctx ends.
func (h *Hashing) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out[i] = h.vector(text)
	}
	return out, nil
}

func (h *Hashing) vector(text string) []float32 {
	type feature struct {
		name          string
		weight, times float64
	}
	var features []feature // in order, so that sums are the same each time
	at := map[string]int{}
	add := func(name string, weight float64) {
		i, ok := at[name]
		if !ok {
			i = len(features)
			at[name] = i
			features = append(features, feature{name: name, weight: weight})
		}
		features[i].times++
	}
	words := analyse(text)
	for i, w := range words.stems {
		add("w:"+w, weightWord)
		if i > 0 {
			add("p:"+words.stems[i-1]+" "+w, weightPair)
		}
		letters := []rune("<" + w + ">")
		if len(letters) > longestWord {
			continue // it is no word
		}
		for n := 3; n <= 5; n++ {
			for from := 0; from+n <= len(letters); from++ {
				// A long word has many parts, and counts no more for it.
				add("g:"+string(letters[from:from+n]), weightPart/math.Sqrt(float64(len(letters))/5))
			}
		}
	}
	for _, s := range words.subjects {
		add("s:"+s, weightSubject)
	}
	sums := make([]float64, h.dims)
	for _, f := range features {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(f.name)) // it never fails
		// FNV's bits differ little between short texts: mix them.
		x := hash.Sum64()
		x ^= x >> 33
		x *= 0xff51afd7ed558ccd
		x ^= x >> 33
		weight := f.weight * (1 + math.Log(f.times))
		if x>>63 == 1 {
			weight = -weight
		}
		sums[x%uint64(h.dims)] += weight
	}
	length := 0.0
	for _, s := range sums {
		length += s * s
	}
	if length == 0 {
		return nil
	}
	length = math.Sqrt(length)
	v := make([]float32, h.dims)
	for i, s := range sums {
		v[i] = float32(s / length)
	}
	return v
}

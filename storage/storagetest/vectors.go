package storagetest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ttai-go/ttai/storage"
)

// TestVectors checks the contract of storage.Vectors.
func TestVectors(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"a document is read as it was written", testVectorRoundTrip},
		{"the nearest come first, with the cosine", testVectorNearest},
		{"nearest agrees with the definition", testVectorExact},
		{"texts are found by their words", testVectorWords},
		{"rarer and more words count more", testVectorRank},
		{"text has no operators", testVectorOperators},
		{"searches are narrowed by metadata", testVectorWhere},
		{"a document is replaced and deleted everywhere", testVectorReplace},
		{"a batch is stored whole or not at all", testVectorBatch},
		{"both ways of searching are fused", testVectorHybrid},
		{"a collection without dimensions is searched by text", testVectorTextOnly},
		{"ten thousand documents are listed once each", testVectorMany},
		{"readers and writers do not disturb each other", testVectorRace},
		{"collections and tenants share nothing", testVectorTenants},
		{"bad arguments are refused by name", testVectorRefusals},
		{"a cancelled context ends every method", testVectorCancelled},
		{"two processes see each other's writes", testVectorSecond},
		{"what was written survives", testVectorReopen},
		{"a closed store says so", testVectorClosed},
	})
}

func (r *rig) vectors() storage.Vectors {
	r.t.Helper()
	return vectorsOf(r.t, r.store, "alice", "knowledge", 3)
}

func vectorsOf(t *testing.T, s storage.Store, id storage.TenantID, name string, dims int) storage.Vectors {
	t.Helper()
	v, err := tenantOf(t, s, id).Vectors(name, dims)
	check(t, err)
	return v
}

func document(id, text string, vector ...float32) storage.Document {
	return storage.Document{ID: id, Text: text, Vector: vector}
}

func found(matches []storage.Match) []string {
	var ids []string
	for _, m := range matches {
		ids = append(ids, m.ID)
	}
	return ids
}

func nearest(t *testing.T, v storage.Vectors, vector []float32, opts *storage.SearchOptions) []string {
	t.Helper()
	m, err := v.Nearest(t.Context(), vector, opts)
	check(t, err)
	return found(m)
}

func matching(t *testing.T, v storage.Vectors, text string, opts *storage.SearchOptions) []string {
	t.Helper()
	m, err := v.Matching(t.Context(), text, opts)
	check(t, err)
	return found(m)
}

func documents(t *testing.T, v storage.Vectors, where *storage.Where) []storage.Document {
	t.Helper()
	var out []storage.Document
	for d, err := range v.Documents(t.Context(), where) {
		check(t, err)
		out = append(out, d)
	}
	return out
}

func idsOf(docs []storage.Document) []string {
	var ids []string
	for _, d := range docs {
		ids = append(ids, d.ID)
	}
	return ids
}

func testVectorRoundTrip(r *rig) {
	t, v := r.t, r.vectors()
	docs := []storage.Document{
		{ID: "'; --", Text: "Iron condor", Vector: []float32{1, 0, 0}, Metadata: map[string]string{"source": "é 日本 'x'", "empty": ""}},
		{ID: "a/b", Text: "", Vector: []float32{0.1, -3e-5, 1e10}},
		{ID: "b", Text: "no vector"},
		{ID: strings.Repeat("z", 256), Text: strings.Repeat("long ", 200_000), Vector: []float32{1, 2, 3}},
	}
	check(t, v.Put(t.Context(), docs...))
	check(t, v.Put(t.Context()))
	got := documents(t, v, nil)
	want(t, "documents", len(got), len(docs))
	for i, d := range got {
		if w := docs[i]; d.ID != w.ID || d.Text != w.Text || !slices.Equal(d.Vector, w.Vector) || !maps.Equal(d.Metadata, w.Metadata) || d.Vector == nil != (w.Vector == nil) {
			t.Errorf("document %q came back differently: %s", w.ID, cut(fmt.Sprint(d)))
		}
	}
	m, err := v.Nearest(t.Context(), []float32{1, 0, 0}, nil)
	check(t, err)
	if m[0].ID != "'; --" || m[0].Text != "Iron condor" || !maps.Equal(m[0].Metadata, docs[0].Metadata) || m[0].Vector != nil {
		t.Errorf("a match came as %+v", m[0])
	}
	copied := []float32{0, 1, 0}
	check(t, v.Put(t.Context(), document("copy", "", copied...)))
	copied[1] = -1
	want(t, "nearest", nearest(t, v, []float32{0, 1, 0}, nil)[0], "copy")
}

func testVectorNearest(r *rig) {
	t, v := r.t, r.vectors()
	m, err := v.Nearest(t.Context(), []float32{1, 0, 0}, nil)
	check(t, err)
	want(t, "matches of nothing", len(m), 0)
	check(t, v.Put(t.Context(),
		document("same", "", 5, 0, 0), document("opposite", "", -1, 0, 0), document("across", "", 0, 2, 0),
		document("half", "", 1, 1, 0), document("b.twin", "", 0, 0, 7), document("no vector", "text")))
	m, err = v.Nearest(t.Context(), []float32{2, 0, 0}, nil)
	check(t, err)
	wantAll(t, "ids", found(m), []string{"same", "half", "across", "b.twin", "opposite"})
	for i, score := range []float64{1, math.Sqrt2 / 2, 0, 0, -1} {
		if math.Abs(m[i].Score-score) > 1e-5 {
			t.Errorf("score of %s: got %v, want %v", m[i].ID, m[i].Score, score)
		}
	}
	wantAll(t, "the best two", nearest(t, v, []float32{2, 0, 0}, &storage.SearchOptions{Limit: 2}), []string{"same", "half"})
}

// numbers is a repeatable stream of numbers from -1 to 1.
type numbers uint64

func (n *numbers) next() float32 {
	*n = *n*6364136223846793005 + 1442695040888963407
	return float32(int32(*n>>33)-(1<<30)) / (1 << 30)
}

func (n *numbers) vector(dims int) []float32 {
	v := make([]float32, dims)
	for i := range v {
		v[i] = n.next()
	}
	return v
}

func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}

func testVectorExact(r *rig) {
	t := r.t
	const dims, n = 96, 400
	v := vectorsOf(t, r.store, "alice", "wide", dims)
	random := numbers(42)
	docs := make([]storage.Document, n)
	for i := range docs {
		docs[i] = document(fmt.Sprintf("%03d", i), "", random.vector(dims)...)
	}
	check(t, v.Put(t.Context(), docs...))
	for range 5 {
		q := random.vector(dims)
		slices.SortFunc(docs, func(a, b storage.Document) int {
			if x, y := cosine(a.Vector, q), cosine(b.Vector, q); x != y {
				if x > y {
					return -1
				}
				return 1
			}
			return strings.Compare(a.ID, b.ID)
		})
		m, err := v.Nearest(t.Context(), q, &storage.SearchOptions{Limit: 20})
		check(t, err)
		wantAll(t, "nearest", found(m), idsOf(docs[:20]))
		for i, m := range m {
			if d := m.Score - cosine(docs[i].Vector, q); math.Abs(d) > 1e-5 {
				t.Fatalf("score is off by %g", d)
			}
		}
	}
}

func testVectorWords(r *rig) {
	t, v := r.t, r.vectors()
	check(t, v.Put(t.Context(),
		document("condor", "An Iron Condor sells premium on both sides.", 1, 0, 0),
		document("theta", "Theta decay: time value melts, day by day!"),
		document("umlaut", "Die Prämie größer als naïve 日本 models suggest"),
		document("number", "Sell the 450 strike at 0DTE"),
		document("empty", "", 0, 1, 0)))
	for text, id := range map[string]string{
		"condor": "condor", "CONDOR": "condor", "iron": "condor", "sides": "condor", "theta": "theta", "melts?": "theta",
		"Prämie": "umlaut", "450": "number", "0dte": "number", "unknownword condor": "condor",
	} {
		wantAll(t, text, matching(t, v, text, nil), []string{id})
	}
	for _, text := range []string{"", " ", "?!", "con", "ondor", "vega"} {
		wantAll(t, text, matching(t, v, text, nil), nil)
	}
}

func testVectorRank(r *rig) {
	t, v := r.t, r.vectors()
	docs := []storage.Document{
		document("both", "gamma scalping hedges delta"),
		document("rare", "gamma of a position in stock"),
		document("long", "gamma "+strings.Repeat("with many other things that are said about stock ", 20)),
	}
	for i := range 20 {
		docs = append(docs, document(fmt.Sprintf("common%02d", i), "delta of a position in stock"))
	}
	check(t, v.Put(t.Context(), docs...))
	got, err := v.Matching(t.Context(), "gamma delta", &storage.SearchOptions{Limit: 4})
	check(t, err)
	wantAll(t, "ids", found(got)[:3], []string{"both", "rare", "long"})
	for i := range got[1:] {
		if got[i].Score < got[i+1].Score {
			t.Errorf("score %v came before %v", got[i].Score, got[i+1].Score)
		}
	}
	wantAll(t, "equal ones by id", matching(t, v, "delta", &storage.SearchOptions{Limit: 50})[1:4], []string{"common00", "common01", "common02"})
}

func testVectorOperators(r *rig) {
	t, v := r.t, r.vectors()
	check(t, v.Put(t.Context(), document("a", "alpha"), document("b", "beta"), document("near", "near and or not")))
	for _, text := range []string{
		`"alpha`, `alpha"`, `'alpha'`, "alpha*", "-alpha", "+alpha", "(alpha", "alpha)", "^alpha", "alpha:", "alpha &", "| alpha", "!alpha", "alpha <->",
		"{alpha}", "col:alpha"[4:], "alpha\x00", "alpha%", `alpha\`, "alpha;--", "NEAR/(alpha",
	} {
		got := matching(t, v, text, nil)
		if !slices.Contains(got, "a") || slices.Contains(got, "b") {
			t.Errorf("%q found %q", text, got)
		}
	}
	got := matching(t, v, "alpha AND beta", nil)
	slices.Sort(got)
	wantAll(t, "alpha AND beta", got, []string{"a", "b", "near"})
	check(t, v.Put(t.Context(), document("a", "alpha")))
	matching(t, v, strings.Repeat("word ", 5000), nil)
}

func testVectorWhere(r *rig) {
	t, v := r.t, r.vectors()
	with := func(d storage.Document, pairs ...string) storage.Document {
		d.Metadata = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			d.Metadata[pairs[i]] = pairs[i+1]
		}
		return d
	}
	check(t, v.Put(t.Context(),
		with(document("1", "alpha", 1, 0, 0), "kind", "book", "lang", "en"),
		with(document("2", "alpha", 1, 0.1, 0), "kind", "news", "lang", "en"),
		with(document("3", "alpha", 1, 0.2, 0), "kind", "book", "lang", "de"),
		with(document("4", "alpha", 1, 0.3, 0), "kind", "b'ook"),
		document("5", "alpha", 1, 0.4, 0)))
	for i, test := range []struct {
		where storage.Where
		want  []string
	}{
		{nil, []string{"1", "2", "3", "4", "5"}},
		{storage.Where{"kind": {"book"}}, []string{"1", "3"}},
		{storage.Where{"kind": {"book", "news"}}, []string{"1", "2", "3"}},
		{storage.Where{"kind": {"book"}, "lang": {"de"}}, []string{"3"}},
		{storage.Where{"kind": {"b'ook"}}, []string{"4"}},
		{storage.Where{"kind": {}}, nil},
		{storage.Where{"none": {"x"}}, nil},
		{storage.Where{"kind": {"%"}}, nil},
	} {
		what := fmt.Sprint("selection ", i)
		opts := &storage.SearchOptions{Where: test.where}
		wantAll(t, what+" nearest", nearest(t, v, []float32{1, 0, 0}, opts), test.want)
		got := matching(t, v, "alpha", opts)
		slices.Sort(got)
		wantAll(t, what+" matching", got, test.want)
		wantAll(t, what, idsOf(documents(t, v, &test.where)), test.want)
	}
	wantAll(t, "the best of a selection", nearest(t, v, []float32{1, 0.4, 0}, &storage.SearchOptions{Limit: 1, Where: storage.Where{"lang": {"en"}}}), []string{"2"})
}

func testVectorReplace(r *rig) {
	t, v := r.t, r.vectors()
	check(t, v.Put(t.Context(), document("a", "alpha", 1, 0, 0), document("b", "beta", 0, 1, 0)))
	check(t, v.Put(t.Context(), document("a", "gamma", 0, 0, 1)))
	wantAll(t, "by the old word", matching(t, v, "alpha", nil), nil)
	wantAll(t, "by the new word", matching(t, v, "gamma", nil), []string{"a"})
	want(t, "by the new vector", nearest(t, v, []float32{0, 0, 1}, nil)[0], "a")
	check(t, v.Delete(t.Context(), "a", "never"))
	check(t, v.Delete(t.Context()))
	wantAll(t, "after it was deleted", matching(t, v, "gamma", nil), nil)
	wantAll(t, "nearest", nearest(t, v, []float32{0, 0, 1}, nil), []string{"b"})
	wantAll(t, "documents", idsOf(documents(t, v, nil)), []string{"b"})
	check(t, v.Put(t.Context(), document("b", "beta"))) // its vector is gone too
	wantAll(t, "nearest", nearest(t, v, []float32{0, 1, 0}, nil), nil)
	check(t, v.Put(t.Context(), document("c", "one"), document("c", "two"))) // the last one stands
	wantAll(t, "by a word that was replaced at once", matching(t, v, "one", nil), nil)
	wantAll(t, "by the last word", matching(t, v, "two", nil), []string{"c"})
}

func testVectorBatch(r *rig) {
	t, v := r.t, r.vectors()
	check(t, v.Put(t.Context(), document("a", "alpha", 1, 0, 0)))
	wantField(t, v.Put(t.Context(), document("a", "beta", 0, 1, 0), document("b", "beta", 1, 2)), "Vector")
	wantAll(t, "documents", idsOf(documents(t, v, nil)), []string{"a"})
	wantAll(t, "by word", matching(t, v, "beta", nil), nil)
}

func testVectorHybrid(r *rig) {
	t, v := r.t, r.vectors()
	check(t, v.Put(t.Context(),
		document("both", "gamma scalping", 1, 0.2, 0), document("word", "gamma gamma gamma"), document("vector", "other", 1, 0, 0), document("far", "none", 0, 0, 1)))
	m, err := storage.Hybrid(t.Context(), v, "gamma scalping", []float32{1, 0, 0}, nil)
	check(t, err)
	want(t, "the best", m[0].ID, "both")
	if m[0].Text != "gamma scalping" {
		t.Errorf("a fused match lost its text: %+v", m[0])
	}
	want(t, "matches", len(m), 4)
}

func testVectorTextOnly(r *rig) {
	t := r.t
	v := vectorsOf(t, r.store, "alice", "plain", 0)
	check(t, v.Put(t.Context(), document("a", "alpha")))
	wantAll(t, "by word", matching(t, v, "alpha", nil), []string{"a"})
	_, err := v.Nearest(t.Context(), []float32{1}, nil)
	wantField(t, err, "vector")
	wantField(t, v.Put(t.Context(), document("b", "", 1)), "Vector")
}

func testVectorMany(r *rig) {
	t, v := r.t, r.vectors()
	const n = 10_000
	random := numbers(7)
	ids := make([]string, n)
	for i := 0; i < n; i += 1000 {
		batch := make([]storage.Document, 1000)
		for j := range batch {
			ids[i+j] = fmt.Sprintf("%05d", i+j)
			batch[j] = document(ids[i+j], fmt.Sprint("word", i+j, " all"), random.vector(3)...)
		}
		check(t, v.Put(t.Context(), batch...))
	}
	wantAll(t, "documents", idsOf(documents(t, v, nil)), ids)
	wantAll(t, "by word", matching(t, v, "word7777", nil), []string{"07777"})
	want(t, "nearest", len(nearest(t, v, []float32{1, 1, 1}, &storage.SearchOptions{Limit: 1000})), 1000)
}

func testVectorRace(r *rig) {
	t, v := r.t, r.vectors()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		defer cancel()
		for i := range 60 {
			id := fmt.Sprint(i % 7)
			if err := v.Put(t.Context(), document(id, fmt.Sprint("alpha ", i), 1, float32(i), 0)); err != nil {
				t.Error(err)
			}
			if i%5 == 0 {
				if err := v.Delete(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 2 {
		group.Go(func() {
			for ctx.Err() == nil {
				if _, err := v.Nearest(t.Context(), []float32{1, 0, 0}, nil); err != nil {
					t.Error(err)
				}
				if _, err := v.Matching(t.Context(), "alpha", nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func testVectorTenants(r *rig) {
	t := r.t
	for i, id := range hostile {
		v := vectorsOf(t, r.store, id, "knowledge", 3)
		wantAll(t, "documents of a new tenant", idsOf(documents(t, v, nil)), nil)
		check(t, v.Put(t.Context(), document("k", fmt.Sprint("alpha tenant", i), 1, float32(i), 0)))
	}
	for i, id := range hostile {
		v := vectorsOf(t, r.store, id, "knowledge", 3)
		got, err := v.Matching(t.Context(), "alpha", nil)
		check(t, err)
		want(t, "matches", len(got), 1)
		want(t, "text", got[0].Text, fmt.Sprint("alpha tenant", i))
		want(t, "nearest", len(nearest(t, v, []float32{1, 0, 0}, nil)), 1)
		wantAll(t, "another collection", nearest(t, vectorsOf(t, r.store, id, "others", 3), []float32{1, 0, 0}, nil), nil)
	}
}

func testVectorRefusals(r *rig) {
	t, v := r.t, r.vectors()
	nan := float32(math.NaN())
	for i, test := range []struct {
		field string
		d     storage.Document
	}{
		{"ID", document("", "")},
		{"ID", document(strings.Repeat("i", 257), "")},
		{"Vector", document("a", "", 1, 2)},
		{"Vector", document("a", "", 1, 2, nan)},
		{"Vector", document("a", "", 0, 0, 0)},
		{"Vector", storage.Document{ID: "a", Vector: []float32{}}},
		{"Text", document("a", "\xff")},
		{"Text", document("a", strings.Repeat("x", 1<<20+1))},
		{"Metadata", storage.Document{ID: "a", Metadata: map[string]string{"A b": ""}}},
		{"Metadata", storage.Document{ID: "a", Metadata: map[string]string{"a": strings.Repeat("x", 513)}}},
	} {
		t.Log("document", i)
		wantField(t, v.Put(t.Context(), test.d), test.field)
	}
	for _, vector := range [][]float32{nil, {1}, {0, 0, 0}, {1, 2, nan}} {
		_, err := v.Nearest(t.Context(), vector, nil)
		wantField(t, err, "vector")
	}
	for _, limit := range []int{-1, 1001} {
		_, err := v.Nearest(t.Context(), []float32{1, 0, 0}, &storage.SearchOptions{Limit: limit})
		wantField(t, err, "Limit")
		_, err = v.Matching(t.Context(), "a", &storage.SearchOptions{Limit: limit})
		wantField(t, err, "Limit")
	}
}

func testVectorCancelled(r *rig) {
	t, v, ctx := r.t, r.vectors(), cancelled(r.t)
	check(t, v.Put(t.Context(), document("a", "alpha", 1, 0, 0)))
	wantIs(t, v.Put(ctx, document("b", "alpha", 1, 0, 0)), context.Canceled)
	wantIs(t, v.Delete(ctx, "a"), context.Canceled)
	_, err := v.Nearest(ctx, []float32{1, 0, 0}, nil)
	wantIs(t, err, context.Canceled)
	_, err = v.Matching(ctx, "alpha", nil)
	wantIs(t, err, context.Canceled)
	for _, err := range v.Documents(ctx, nil) {
		wantIs(t, err, context.Canceled)
	}
	wantAll(t, "documents", idsOf(documents(t, v, nil)), []string{"a"})
}

func testVectorSecond(r *rig) {
	t, v := r.t, r.vectors()
	other := vectorsOf(t, r.second(), "alice", "knowledge", 3)
	for i := range 5 {
		id := fmt.Sprint(i)
		check(t, v.Put(t.Context(), document(id, "alpha"+id, 1, float32(i), 0)))
		want(t, "nearest", len(nearest(t, other, []float32{1, 0, 0}, nil)), i+1)
		wantAll(t, "by word", matching(t, other, "alpha"+id, nil), []string{id})
	}
	check(t, other.Delete(t.Context(), "0"))
	want(t, "nearest", nearest(t, v, []float32{1, 0, 0}, nil)[0], "1")
}

func testVectorReopen(r *rig) {
	t, v := r.t, r.vectors()
	check(t, v.Put(t.Context(), document("a", "alpha", 1, 0, 0), document("b", "beta", 0, 1, 0)))
	check(t, v.Delete(t.Context(), "b"))
	r.crash()
	v = r.vectors()
	wantAll(t, "by word", matching(t, v, "alpha beta", nil), []string{"a"})
	wantAll(t, "nearest", nearest(t, v, []float32{1, 0, 0}, nil), []string{"a"})
}

func testVectorClosed(r *rig) {
	t, v := r.t, r.vectors()
	check(t, r.store.Close())
	wantIs(t, v.Put(t.Context(), document("a", "")), storage.ErrClosed)
	wantIs(t, v.Delete(t.Context(), "a"), storage.ErrClosed)
	_, err := v.Nearest(t.Context(), []float32{1, 0, 0}, nil)
	wantIs(t, err, storage.ErrClosed)
	_, err = v.Matching(t.Context(), "a", nil)
	wantIs(t, err, storage.ErrClosed)
	for _, err := range v.Documents(t.Context(), nil) {
		wantIs(t, err, storage.ErrClosed)
	}
}

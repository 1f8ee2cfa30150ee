package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// TestRecords checks the contract of storage.Records.
func TestRecords(t *testing.T, h Harness) {
	run(t, h, []claim{
		{"a record is read as it was written", testRecordRoundTrip},
		{"a large record is kept", testRecordLarge},
		{"each operation does what it says", testRecordOps},
		{"a batch is done whole or not at all", testRecordBatch},
		{"writes of a batch see those before them", testRecordBatchOrder},
		{"a unique field has one owner", testRecordUnique},
		{"records know when they were made and changed", testRecordTimes},
		{"lists are ordered, bounded and selected by fields", testRecordLists},
		{"numbers are ordered by value, texts by bytes", testRecordOrder},
		{"pages do not depend on what is done between them", testRecordPages},
		{"ten thousand records are listed once each", testRecordMany},
		{"of many writers of one version exactly one wins", testRecordRace},
		{"others see a batch whole or not at all", testRecordAtomic},
		{"of racing owners of a unique value one wins", testRecordUniqueRace},
		{"collections and tenants share nothing", testRecordTenants},
		{"bad arguments are refused by name", testRecordRefusals},
		{"a cancelled context ends every method", testRecordCancelled},
		{"two processes see each other's writes", testRecordSecond},
		{"what was written survives", testRecordReopen},
		{"a closed store says so", testRecordClosed},
	})
}

func (r *rig) records() storage.Records { r.t.Helper(); return recordsOf(r.t, r.store, "alice") }

func recordsOf(t *testing.T, s storage.Store, id storage.TenantID) storage.Records {
	t.Helper()
	rs, err := tenantOf(t, s, id).Records()
	check(t, err)
	return rs
}

func doc(s string) []byte { return strconv.AppendQuote(nil, s) }

func put(id, data string, fields ...storage.Field) storage.RecordWrite {
	return storage.RecordWrite{Collection: "things", ID: id, Data: doc(data), Fields: fields}
}

func with(op storage.Op, v storage.Version, w storage.RecordWrite) storage.RecordWrite {
	w.Op, w.Version = op, v
	return w
}

func write(t *testing.T, rs storage.Records, writes ...storage.RecordWrite) []storage.Version {
	t.Helper()
	versions, err := rs.Write(t.Context(), writes...)
	check(t, err)
	want(t, "versions", len(versions), len(writes))
	return versions
}

func wantConflict(t *testing.T, rs storage.Records, id, field string, writes ...storage.RecordWrite) {
	t.Helper()
	_, err := rs.Write(t.Context(), writes...)
	c, ok := errors.AsType[*storage.ConflictError](err)
	if !ok || c.Collection != "things" || c.ID != id || c.Field != field {
		t.Fatalf("got error %v, want a conflict of %q in %q", err, id, field)
	}
	wantIs(t, err, storage.ErrConflict)
}

func wantRecord(t *testing.T, rs storage.Records, id, data string) storage.Record {
	t.Helper()
	r, err := rs.Get(t.Context(), "things", id)
	check(t, err)
	want(t, "id", r.ID, id)
	want(t, "data of "+id, string(r.Data), string(doc(data)))
	return r
}

func wantNoRecord(t *testing.T, rs storage.Records, id string) {
	t.Helper()
	_, err := rs.Get(t.Context(), "things", id)
	wantIs(t, err, storage.ErrNotFound)
}

// list follows the cursor to the end and returns the ids.
func list(t *testing.T, rs storage.Records, q storage.RecordQuery) []string {
	t.Helper()
	var ids []string
	for range 10_000 {
		page, err := rs.List(t.Context(), "things", q)
		check(t, err)
		for _, r := range page.Records {
			ids = append(ids, r.ID)
		}
		if page.Next == "" {
			return ids
		}
		q.Cursor = page.Next
	}
	t.Fatal("the pages do not end")
	return nil
}

func testRecordRoundTrip(r *rig) {
	t, rs := r.t, r.records()
	for i, data := range []string{
		`{}`, `null`, `0`, `""`, ` { "b" : 1.0e2 , "a":[1,2] , "a":"é日\u0000" } `, `{"n":12345678901234567890.123456789}`, "[\n]",
	} {
		for _, id := range []string{"a", "A", "é", "e\u0301", "a/b", "..", "'; --", "%", "日本", strings.Repeat("i", 256)} {
			id := fmt.Sprint(i, id)
			if len(id) > 256 {
				id = id[:256]
			}
			v := write(t, rs, storage.RecordWrite{Collection: "things", ID: id, Data: []byte(data)})
			got, err := rs.Get(t.Context(), "things", id)
			check(t, err)
			if !bytes.Equal(got.Data, []byte(data)) {
				t.Fatalf("%s came back as %s", data, got.Data)
			}
			want(t, "version", got.Version, v[0])
		}
	}
}

func testRecordLarge(r *rig) {
	t, rs := r.t, r.records()
	data := strings.Repeat("x", storage.MaxRecord-2)
	write(t, rs, put("large", data))
	got, err := rs.Get(t.Context(), "things", "large")
	check(t, err)
	if !bytes.Equal(got.Data, doc(data)) {
		t.Fatalf("%d bytes came back as %d", len(data)+2, len(got.Data))
	}
}

func testRecordOps(r *rig) {
	t, rs := r.t, r.records()
	wantNoRecord(t, rs, "a")
	write(t, rs) // nothing
	first := write(t, rs, with(storage.OpCreate, 0, put("a", "1")))[0]
	wantConflict(t, rs, "a", "", with(storage.OpCreate, 0, put("a", "2")))
	second := write(t, rs, with(storage.OpUpdate, first, put("a", "2")))[0]
	if first == second || second == storage.NoVersion {
		t.Fatalf("versions %d and %d", first, second)
	}
	wantConflict(t, rs, "a", "", with(storage.OpUpdate, first, put("a", "3")))
	wantConflict(t, rs, "b", "", with(storage.OpUpdate, first, put("b", "3")))
	wantConflict(t, rs, "b", "", with(storage.OpUpdate, storage.NoVersion, put("b", "3")))
	want(t, "version", wantRecord(t, rs, "a", "2").Version, second)
	third := write(t, rs, put("a", "3"))[0]
	wantConflict(t, rs, "a", "", with(storage.OpUpdate, second, put("a", "4")))

	want(t, "version of a check", write(t, rs, with(storage.OpCheck, third, put("a", "")))[0], third)
	wantConflict(t, rs, "a", "", with(storage.OpCheck, second, put("a", "")))
	wantConflict(t, rs, "a", "", with(storage.OpCheck, storage.NoVersion, put("a", "")))
	write(t, rs, with(storage.OpCheck, storage.NoVersion, put("b", "")))
	wantConflict(t, rs, "b", "", with(storage.OpCheck, third, put("b", "")))
	wantRecord(t, rs, "a", "3")

	wantConflict(t, rs, "a", "", with(storage.OpDelete, second, put("a", "")))
	want(t, "version of a delete", write(t, rs, with(storage.OpDelete, third, put("a", "")))[0], storage.NoVersion)
	wantNoRecord(t, rs, "a")
	wantConflict(t, rs, "a", "", with(storage.OpDelete, third, put("a", "")))
	write(t, rs, with(storage.OpDelete, storage.NoVersion, put("a", "")))
	if again := write(t, rs, with(storage.OpCreate, 0, put("a", "1")))[0]; again == first || again == second || again == third {
		t.Fatalf("version %d returned", again)
	}
}

func testRecordBatch(r *rig) {
	t, rs := r.t, r.records()
	v := write(t, rs, put("a", "1", storage.Text("s", "x")), put("b", "1"))
	wantConflict(t, rs, "b", "",
		put("a", "2"), put("c", "2"), with(storage.OpDelete, 0, put("a", "")), with(storage.OpUpdate, v[0], put("b", "2")))
	wantRecord(t, rs, "a", "1")
	wantRecord(t, rs, "b", "1")
	wantNoRecord(t, rs, "c")
	wantAll(t, "still indexed", list(t, rs, storage.RecordQuery{Order: "s"}), []string{"a"})

	many := make([]storage.RecordWrite, 1000)
	for i := range many {
		many[i] = put(fmt.Sprintf("m%03d", i), "x")
	}
	write(t, rs, many...)
	want(t, "records", len(list(t, rs, storage.RecordQuery{})), 1002)
	_, err := rs.Write(t.Context(), append(many, put("one.more", ""))...)
	wantField(t, err, "writes")
}

func testRecordBatchOrder(r *rig) {
	t, rs := r.t, r.records()
	v := write(t, rs,
		with(storage.OpCreate, 0, put("a", "1")),
		put("a", "2"),
		with(storage.OpDelete, 0, put("b", "")),
		with(storage.OpCreate, 0, put("b", "1")),
		with(storage.OpDelete, 0, put("a", "")),
		with(storage.OpCreate, 0, put("a", "3")))
	want(t, "version", wantRecord(t, rs, "a", "3").Version, v[5])
	wantRecord(t, rs, "b", "1")
	// One record's unique value may pass to another within a batch.
	write(t, rs, put("b", "1", storage.Unique("u", "x")))
	write(t, rs, put("b", "1"), put("a", "3", storage.Unique("u", "x")))
	wantConflict(t, rs, "b", "u", put("b", "1", storage.Unique("u", "x")), put("a", "3"))
}

func testRecordUnique(r *rig) {
	t, rs := r.t, r.records()
	u := func(s string) storage.Field { return storage.Unique("email", s) }
	write(t, rs, put("a", "1", u("x@y")))
	wantConflict(t, rs, "b", "email", with(storage.OpCreate, 0, put("b", "1", u("x@y"))))
	wantNoRecord(t, rs, "b")
	write(t, rs, put("b", "1", u("X@y")), put("c", "1", storage.Text("email", "x@y")), put("d", "1", storage.Unique("mail", "x@y")))
	write(t, rs, put("a", "2", u("x@y"))) // its own value
	wantConflict(t, rs, "b", "email", put("b", "2", u("x@y")))
	write(t, rs, storage.RecordWrite{Collection: "others", ID: "a", Data: doc(""), Fields: []storage.Field{u("x@y")}})
	write(t, rs, with(storage.OpDelete, 0, put("a", "")))
	write(t, rs, put("b", "3", u("x@y")))
	number := storage.Number("n", 1)
	number.Unique = true
	write(t, rs, put("e", "", number))
	wantConflict(t, rs, "f", "n", put("f", "", number))
}

func testRecordTimes(r *rig) {
	t, rs := r.t, r.records()
	about := func(what string, got, want time.Time) {
		t.Helper()
		if d := got.Sub(want).Abs(); d > time.Millisecond && r.Unit == 0 || d > 5*time.Second {
			t.Errorf("%s at %v, want %v", what, got, want)
		}
	}
	made := r.now()
	write(t, rs, put("a", "1"))
	r.pass(0.5)
	write(t, rs, put("a", "2"))
	got := wantRecord(t, rs, "a", "2")
	about("made", got.Created, made)
	about("changed", got.Updated, r.now())
	if !got.Updated.After(got.Created) {
		t.Errorf("made at %v and changed at %v", got.Created, got.Updated)
	}
	page, err := rs.List(t.Context(), "things", storage.RecordQuery{})
	check(t, err)
	if l := page.Records[0]; !l.Created.Equal(got.Created) || !l.Updated.Equal(got.Updated) || l.Version != got.Version || !bytes.Equal(l.Data, got.Data) {
		t.Errorf("List and Get differ")
	}
}

func testRecordLists(r *rig) {
	t, rs := r.t, r.records()
	wantAll(t, "nothing", list(t, rs, storage.RecordQuery{}), nil)
	trade := func(id, status, symbol string, price float64) storage.RecordWrite {
		return put(id, id, storage.Text("status", status), storage.Text("symbol", symbol), storage.Number("price", price))
	}
	write(t, rs, trade("1", "open", "SPY", 5), trade("2", "open", "QQQ", 3), trade("3", "closed", "SPY", 4),
		trade("4", "open", "SPY", 3), put("5", "no fields"), trade("6", "closed", "QQQ", -1))
	text := func(s string) *storage.Field { return &storage.Field{Text: s} }
	number := func(n float64) *storage.Field { return &storage.Field{Number: n} }
	for name, test := range map[string]struct {
		q    storage.RecordQuery
		want string
	}{
		"all":               {storage.RecordQuery{}, "1 2 3 4 5 6"},
		"backwards":         {storage.RecordQuery{Desc: true}, "6 5 4 3 2 1"},
		"ids in a range":    {storage.RecordQuery{From: text("2"), To: text("5")}, "2 3 4"},
		"by text":           {storage.RecordQuery{Order: "symbol"}, "2 6 1 3 4"},
		"by text back":      {storage.RecordQuery{Order: "symbol", Desc: true}, "4 3 1 6 2"},
		"text bounds":       {storage.RecordQuery{Order: "symbol", From: text("QQQ"), To: text("SPY")}, "2 6"},
		"by number":         {storage.RecordQuery{Order: "price", Kind: storage.NumberField}, "6 2 4 3 1"},
		"by number back":    {storage.RecordQuery{Order: "price", Kind: storage.NumberField, Desc: true}, "1 3 4 2 6"},
		"number bounds":     {storage.RecordQuery{Order: "price", Kind: storage.NumberField, From: number(3), To: number(5)}, "2 4 3"},
		"from":              {storage.RecordQuery{Order: "price", Kind: storage.NumberField, From: number(3.5)}, "3 1"},
		"to, back":          {storage.RecordQuery{Order: "price", Kind: storage.NumberField, To: number(4), Desc: true}, "4 2 6"},
		"selected":          {storage.RecordQuery{Where: []storage.Field{storage.Text("status", "open")}}, "1 2 4"},
		"selected twice":    {storage.RecordQuery{Where: []storage.Field{storage.Text("status", "open"), storage.Text("symbol", "SPY")}}, "1 4"},
		"by a number":       {storage.RecordQuery{Where: []storage.Field{storage.Number("price", 3)}}, "2 4"},
		"and ordered":       {storage.RecordQuery{Where: []storage.Field{storage.Text("status", "open")}, Order: "price", Kind: storage.NumberField}, "2 4 1"},
		"other kind":        {storage.RecordQuery{Order: "price"}, ""},
		"no such field":     {storage.RecordQuery{Order: "none"}, ""},
		"no such value":     {storage.RecordQuery{Where: []storage.Field{storage.Text("status", "%")}}, ""},
		"an empty range":    {storage.RecordQuery{From: text("5"), To: text("2")}, ""},
		"text is no number": {storage.RecordQuery{Where: []storage.Field{storage.Text("price", "3")}}, ""},
	} {
		for _, limit := range []int{0, 1, 2} {
			q := test.q
			q.Limit = limit
			if got := strings.Join(list(t, rs, q), " "); got != test.want {
				t.Errorf("%s, %d a page: got %q, want %q", name, limit, got, test.want)
			}
		}
	}
	// Fields are replaced as a whole.
	write(t, rs, put("1", "1", storage.Text("status", "closed")))
	wantAll(t, "by price", list(t, rs, storage.RecordQuery{Order: "price", Kind: storage.NumberField}), []string{"6", "2", "4", "3"})
	write(t, rs, with(storage.OpDelete, 0, put("2", "")))
	wantAll(t, "by symbol", list(t, rs, storage.RecordQuery{Order: "symbol"}), []string{"6", "3", "4"})
	page, err := rs.List(t.Context(), "others", storage.RecordQuery{})
	check(t, err)
	want(t, "records of another collection", len(page.Records), 0)
}

func testRecordOrder(r *rig) {
	t, rs := r.t, r.records()
	numbers := []float64{-math.MaxFloat64, -1e300, -2, -1.5, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1.0 / 3, 2, 10, 1 << 53, 1e300, math.MaxFloat64}
	var ids []string
	for i, n := range numbers {
		ids = append(ids, fmt.Sprintf("%02d", i))
		write(t, rs, put(ids[i], "", storage.Number("n", n)))
	}
	wantAll(t, "numbers", list(t, rs, storage.RecordQuery{Order: "n", Kind: storage.NumberField, Limit: 1}), ids)
	negative := math.Copysign(0, -1)
	wantAll(t, "zero", list(t, rs, storage.RecordQuery{Where: []storage.Field{storage.Number("n", negative)}}), []string{"05"})
	texts := []string{"", "A", "AB", "B", "a", "a b", "a!", "a-b", "a/b", "aB", "ab", "b", "é", "日本"}
	slices.Sort(texts)
	ids = nil
	for i, s := range texts {
		ids = append(ids, fmt.Sprintf("t%02d", i))
		write(t, rs, put(ids[i], "", storage.Text("s", s)))
	}
	wantAll(t, "texts", list(t, rs, storage.RecordQuery{Order: "s", Limit: 1}), ids)
	var odd []storage.RecordWrite
	for _, id := range []string{"ZZ", "Zz", "Z z", "Z-z", "Zé"} {
		odd = append(odd, put(id, ""))
	}
	write(t, rs, odd...)
	wantAll(t, "ids", list(t, rs, storage.RecordQuery{From: &storage.Field{Text: "Z"}, To: &storage.Field{Text: "["}, Limit: 1}),
		[]string{"Z z", "Z-z", "ZZ", "Zz", "Zé"})
}

func testRecordPages(r *rig) {
	t, rs := r.t, r.records()
	for i := range 10 {
		write(t, rs, put(fmt.Sprint(i), "", storage.Number("n", float64(i/2))))
	}
	q := storage.RecordQuery{Order: "n", Kind: storage.NumberField, Limit: 3}
	page, err := rs.List(t.Context(), "things", q)
	check(t, err)
	// The last one seen goes, others come before and after.
	write(t, rs, with(storage.OpDelete, 0, put(page.Records[2].ID, "")), put("00", "", storage.Number("n", 0)), put("99", "", storage.Number("n", 99)))
	q.Cursor = page.Next
	wantAll(t, "the rest", list(t, rs, q), []string{"3", "4", "5", "6", "7", "8", "9", "99"})
	q.Cursor = "nonsense"
	_, err = rs.List(t.Context(), "things", q)
	wantField(t, err, "Cursor")
}

func testRecordMany(r *rig) {
	t, rs := r.t, r.records()
	const n = 10_000
	ids := make([]string, n)
	var batch []storage.RecordWrite
	for i := range n {
		ids[i] = fmt.Sprintf("%05d", i)
		k := i * 7919 % n
		batch = append(batch, put(fmt.Sprintf("%05d", k), "x", storage.Number("n", float64(k/10)), storage.Text("p", fmt.Sprint(k%2))))
		if len(batch) == 1000 {
			write(t, rs, batch...)
			batch = batch[:0]
		}
	}
	wantAll(t, "by id", list(t, rs, storage.RecordQuery{Limit: 999}), ids)
	wantAll(t, "by number", list(t, rs, storage.RecordQuery{Order: "n", Kind: storage.NumberField, Limit: 1000}), ids)
	want(t, "every second", len(list(t, rs, storage.RecordQuery{Where: []storage.Field{storage.Text("p", "1")}, Limit: 1000})), n/2)
}

func testRecordRace(r *rig) { r.recordRace(r.records(), r.records()) }

func (r *rig) recordRace(records ...storage.Records) {
	t := r.t
	const writers, rounds = 6, 20
	write(t, records[0], put("n", "0"))
	var group sync.WaitGroup
	for i := range writers {
		rs := records[i%len(records)]
		group.Go(func() {
			for done := 0; done < rounds; {
				got, err := rs.Get(t.Context(), "things", "n")
				if err != nil {
					t.Error(err)
					return
				}
				s, err := strconv.Unquote(string(got.Data))
				if err != nil {
					t.Error(err)
					return
				}
				n, err := strconv.Atoi(s)
				if err != nil {
					t.Error(err)
					return
				}
				_, err = rs.Write(t.Context(), with(storage.OpUpdate, got.Version, put("n", strconv.Itoa(n+1))))
				if err == nil {
					done++
				} else if !errors.Is(err, storage.ErrConflict) {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	wantRecord(t, records[0], "n", strconv.Itoa(writers*rounds))
}

func testRecordAtomic(r *rig) {
	t, rs := r.t, r.records()
	write(t, rs, put("a", "0"), put("b", "0"))
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		defer cancel()
		for i := range 100 {
			if _, err := rs.Write(t.Context(), put("a", fmt.Sprint(i)), put("b", fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2 {
		group.Go(func() {
			for ctx.Err() == nil {
				page, err := rs.List(t.Context(), "things", storage.RecordQuery{})
				if err != nil || len(page.Records) != 2 || !bytes.Equal(page.Records[0].Data, page.Records[1].Data) {
					t.Errorf("a page shows half of a batch: %+v (%v)", page.Records, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func testRecordUniqueRace(r *rig) {
	t, rs := r.t, r.records()
	var wins sync.Map
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			id := fmt.Sprint(i)
			_, err := rs.Write(t.Context(), with(storage.OpCreate, 0, put(id, "", storage.Unique("u", "only"))))
			if err == nil {
				wins.Store(id, true)
			} else if !errors.Is(err, storage.ErrConflict) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	n := 0
	wins.Range(func(any, any) bool { n++; return true })
	want(t, "owners", n, 1)
}

func testRecordTenants(r *rig) {
	t := r.t
	for i, id := range hostile {
		rs := recordsOf(t, r.store, id)
		wantAll(t, "records of a new tenant", list(t, rs, storage.RecordQuery{}), nil)
		write(t, rs, with(storage.OpCreate, 0, put("a", fmt.Sprint(i), storage.Unique("u", "x"))))
	}
	for i, id := range hostile {
		rs := recordsOf(t, r.store, id)
		wantRecord(t, rs, "a", fmt.Sprint(i))
		wantAll(t, "records", list(t, rs, storage.RecordQuery{Order: "u"}), []string{"a"})
		_, err := rs.Get(t.Context(), "others", "a")
		wantIs(t, err, storage.ErrNotFound)
	}
	write(t, recordsOf(t, r.store, hostile[0]), with(storage.OpDelete, 0, put("a", "")))
	wantRecord(t, recordsOf(t, r.store, hostile[1]), "a", "1")
}

func testRecordRefusals(r *rig) {
	t, rs := r.t, r.records()
	fields := func(fields ...storage.Field) storage.RecordWrite { return put("a", "", fields...) }
	for name, test := range map[string]struct {
		field string
		w     storage.RecordWrite
	}{
		"no id":         {"id", put("", "")},
		"a long id":     {"id", put(strings.Repeat("i", 257), "")},
		"NUL":           {"id", put("a\x00", "")},
		"no JSON":       {"Data", storage.RecordWrite{Collection: "things", ID: "a", Data: []byte("{")}},
		"nothing":       {"Data", storage.RecordWrite{Collection: "things", ID: "a"}},
		"too long":      {"Data", put("a", strings.Repeat("x", storage.MaxRecord))},
		"collection":    {"collection", storage.RecordWrite{Collection: "A b", ID: "a", Data: doc("")}},
		"NaN":           {"n", fields(storage.Number("n", math.NaN()))},
		"NUL in a text": {"s", fields(storage.Text("s", "\x00"))},
		"a long text":   {"s", fields(storage.Text("s", strings.Repeat("x", 513)))},
		"twice":         {"Fields", fields(storage.Text("s", "x"), storage.Text("s", "y"))},
		"an operation":  {"Op", with(9, 0, put("a", ""))},
	} {
		_, err := rs.Write(t.Context(), put("z", ""), test.w)
		if fe, ok := errors.AsType[*storage.FieldError](err); !ok || fe.Field != test.field {
			t.Errorf("%s: got error %v, want a *FieldError of %s", name, err, test.field)
		}
	}
	wantNoRecord(t, rs, "z")
	for field, q := range map[string]storage.RecordQuery{
		"Limit": {Limit: 1001}, "Order": {Order: "A"}, "Kind": {Kind: storage.NumberField}, "Fields": {Where: []storage.Field{{Name: ""}}},
	} {
		_, err := rs.List(t.Context(), "things", q)
		wantField(t, err, field)
	}
	_, err := rs.List(t.Context(), "", storage.RecordQuery{})
	wantField(t, err, "collection")
	_, err = rs.Get(t.Context(), "things", "")
	wantField(t, err, "id")
}

func testRecordCancelled(r *rig) {
	t, rs, ctx := r.t, r.records(), cancelled(r.t)
	_, err := rs.Write(ctx, put("a", ""))
	wantIs(t, err, context.Canceled)
	wantNoRecord(t, rs, "a")
	_, err = rs.Get(ctx, "things", "a")
	wantIs(t, err, context.Canceled)
	_, err = rs.List(ctx, "things", storage.RecordQuery{})
	wantIs(t, err, context.Canceled)
}

func testRecordSecond(r *rig) {
	t, rs := r.t, r.records()
	other := recordsOf(t, r.second(), "alice")
	write(t, rs, put("a", "here"))
	write(t, other, with(storage.OpUpdate, wantRecord(t, other, "a", "here").Version, put("a", "there")))
	wantRecord(t, rs, "a", "there")
	r.recordRace(rs, other)
}

func testRecordReopen(r *rig) {
	t, rs := r.t, r.records()
	v := write(t, rs, put("a", "kept", storage.Unique("u", "x")), put("b", "gone"))
	write(t, rs, with(storage.OpDelete, 0, put("b", "")))
	made := wantRecord(t, rs, "a", "kept").Created
	r.crash()
	rs = r.records()
	got := wantRecord(t, rs, "a", "kept")
	want(t, "version", got.Version, v[0])
	if !got.Created.Equal(made) {
		t.Errorf("made at %v, was %v", got.Created, made)
	}
	wantNoRecord(t, rs, "b")
	wantConflict(t, rs, "c", "u", put("c", "", storage.Unique("u", "x")))
	if again := write(t, rs, put("b", "new"))[0]; again == v[0] || again == v[1] {
		t.Fatalf("version %d returned", again)
	}
}

func testRecordClosed(r *rig) {
	t, rs := r.t, r.records()
	check(t, r.store.Close())
	_, err := rs.Write(t.Context(), put("a", ""))
	wantIs(t, err, storage.ErrClosed)
	_, err = rs.Get(t.Context(), "things", "a")
	wantIs(t, err, storage.ErrClosed)
	_, err = rs.List(t.Context(), "things", storage.RecordQuery{})
	wantIs(t, err, storage.ErrClosed)
}

package dxlink

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// A kindTable is a table of any kind.
type kindTable interface {
	kind() string
	// configure takes the server's names for the values of COMPACT records.
	configure(names []string)
	// compact and object read one array of values and one event.
	compact(s *scanner) error
	object(s *scanner) error
	// commit hands over the events read since the last commit, and returns how
	// many there were and how many of them nobody had asked for.
	commit() (events, unclaimed int)
	discard()

	wanted() []string
	requests() []feedEntry
	collect(all map[sink]struct{})
	forget()
}

// A decoder reads the events of one channel. Its tables are the kinds that
// somebody has asked for; other kinds are passed over.
type decoder struct {
	tables  map[string]kindTable
	scanner scanner
	used    []kindTable // by the message being read
	skipped int         // arrays and objects of kinds without a table
}

// data reads the value of "data" of a FEED_DATA message, in either format,
// which begins at byte i, and returns the end of it. The events wait for commit,
// so that a message counts as a whole or not at all.
func (d *decoder) data(b []byte, i int) (end int, err error) {
	s := &d.scanner
	s.b, s.i = b, i
	defer func() { s.b = nil }()
	if s.next() != '[' {
		return 0, s.fail("no array")
	}
	s.i++
	if s.next() == ']' {
		return s.i + 1, nil
	}
	for {
		switch s.next() {
		case '"':
			err = d.named()
		case '{':
			err = d.object()
		default:
			err = s.fail("neither an object nor the name of a kind")
		}
		if err != nil {
			return 0, err
		}
		switch s.next() {
		case ',':
			s.i++
		case ']':
			return s.i + 1, nil
		default:
			return 0, s.fail("no comma")
		}
	}
}

// named reads the name of a kind and its values, any number of records one
// behind the other.
func (d *decoder) named() error {
	s := &d.scanner
	var t kindTable
	if from, to := quickString(s.b, s.i); to > 0 {
		t = d.tables[string(s.b[from:to])]
		s.i = to + 1
	} else {
		name, err := s.token()
		if err != nil {
			return err
		}
		word, err := name.text()
		if err != nil {
			return s.fail("a string that cannot be read")
		}
		t = d.tables[word]
	}
	if s.next() != ',' {
		return s.fail("a kind has no values")
	}
	s.i++
	if s.next() != '[' {
		return s.fail("the values of a kind are no array")
	}
	if t == nil {
		d.skipped++
		_, err := s.token()
		return err
	}
	d.used = append(d.used, t)
	return t.compact(s)
}

// object reads one event with names, which may come in any order.
func (d *decoder) object() error {
	s := &d.scanner
	start := s.i
	whole, err := s.nested()
	if err != nil {
		return err
	}
	end := s.i
	kind, err := kindIn(whole.raw)
	if err != nil {
		return err
	}
	t := d.tables[kind]
	if t == nil {
		d.skipped++
		return nil
	}
	s.i = start
	d.used = append(d.used, t)
	if err := t.object(s); err != nil {
		return err
	}
	s.i = end
	return nil
}

// kindIn returns the eventType of an object, the last when there are several.
func kindIn(object []byte) (kind string, err error) {
	s := scanner{b: object}
	err = s.members(func(name string) error {
		t, err := s.token()
		if err == nil && name == "eventType" {
			kind = ""
			if t.kind == '"' {
				kind, err = t.text()
			}
		}
		return err
	})
	return kind, err
}

// members calls each with the name of every member of an object; each reads the
// value.
func (s *scanner) members(each func(name string) error) error {
	s.i++ // the brace
	if s.next() == '}' {
		s.i++
		return nil
	}
	for {
		name, err := s.token()
		if err != nil {
			return err
		}
		word, err := name.text()
		if err != nil || name.kind != '"' {
			return s.fail("a name that cannot be read")
		}
		if s.next() != ':' {
			return s.fail("no colon")
		}
		s.i++
		s.next()
		if err := each(word); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.i++
			s.next()
		case '}':
			s.i++
			return nil
		default:
			return s.fail("no comma")
		}
	}
}

// commit hands over the events of the message.
func (d *decoder) commit() (events, unclaimed int) {
	for _, t := range d.used {
		n, none := t.commit()
		events, unclaimed = events+n, unclaimed+none
	}
	d.used = d.used[:0]
	return events, unclaimed
}

// discard forgets the events of the message.
func (d *decoder) discard() {
	for _, t := range d.used {
		t.discard()
	}
	d.used = d.used[:0]
}

// compact reads an array of values.
func (t *table[T]) compact(s *scanner) error {
	s.i++ // the bracket
	if len(t.plan) == 0 {
		return s.fail("values of " + t.shape.kind + " whose fields are unknown")
	}
	if s.next() == ']' {
		s.i++
		return nil
	}
	for {
		if err := t.record(s); err != nil {
			return err
		}
		t.arrived()
		switch s.next() {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return s.fail("no comma")
		}
	}
}

// record reads the values of one event. The quick ways are tried here, with the
// place in the message held in a register; value has the others.
func (t *table[T]) record(s *scanner) error {
	t.hit = nil
	b, i, plan := s.b, s.i, t.plan
	for n := range plan {
		f := &plan[n]
		if n > 0 {
			if i >= len(b) || b[i] != ',' {
				s.i = i
				if s.next() != ',' {
					return s.fail(fmt.Sprintf("values of %s that are no records of %d fields", t.shape.kind, len(t.plan)))
				}
				i = s.i
			}
			i++
		}
		switch f.op {
		case opFloat:
			if v, end := quickFloat(b, i); end > 0 {
				*f.float, i = v, end
				continue
			}
		case opInt:
			if i+1 < len(b) && b[i] == '0' && b[i+1] == ',' { // not sent by many sources
				*f.int = 0
				i++
				continue
			}
			if v, end := quickInt(b, i); end > 0 {
				*f.int, i = v, end
				continue
			}
		case opTime:
			if i+1 < len(b) && b[i] == '0' && b[i+1] == ',' {
				*f.time = time.Time{}
				i++
				continue
			}
			if v, end := quickInt(b, i); end > 0 {
				*f.time, i = milliseconds(v), end
				continue
			}
		case opSymbol:
			if from, to := quickString(b, i); to > 0 {
				i = to + 1
				place, low, high := t.quick.place(b, from, to)
				if place != nil && place.low == low && place.high == high && place.name != nil {
					t.hit = place.name
					*t.text = t.hit.symbol
					continue
				}
				t.symbolRead(b[from:to])
				if place != nil && t.hit != nil {
					*place = known[T]{low, high, t.hit}
				}
				continue
			}
		case opKind:
			if i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&t.kindMask == t.kindWord || has(b, i, t.quoted) {
				i += len(t.quoted)
				continue
			}
		case opCode:
			if i+2 < len(b) && b[i] == '"' && b[i+2] == '"' && b[i+1] >= ' ' && b[i+1] < 0x80 && b[i+1] != '"' {
				*f.text = ascii[b[i+1] : b[i+1]+1]
				i += 3
				continue
			}
		}
		s.i = i
		s.next()
		var err error
		switch f.op {
		case opSymbol:
			err = t.symbol(s)
		case opKind, opSkip:
			var t token
			if t, err = s.token(); err == nil && t.kind == '"' && !json.Valid(t.raw) {
				err = s.fail("a string that cannot be read")
			}
		default:
			err = s.value(f)
		}
		if err != nil {
			return err
		}
		i = s.i
	}
	s.i = i
	return nil
}

// object reads one event with names.
func (t *table[T]) object(s *scanner) error {
	t.scratch, t.hit = t.blank, nil
	defer func() { t.scratch = t.blank }() // the fields of COMPACT may be fewer
	err := s.members(func(name string) error {
		f := t.byName[name]
		switch {
		case f == nil || f.op == opKind:
			_, err := s.token()
			return err
		case f.op == opSymbol:
			return t.symbol(s)
		}
		return s.value(f)
	})
	if err == nil {
		t.arrived()
	}
	return err
}

// symbol finds the symbol among those asked for, which gives the subscribers
// and the string at once.
func (t *table[T]) symbol(s *scanner) error {
	if from, to := quickString(s.b, s.i); to > 0 {
		s.i = to + 1
		t.symbolRead(s.b[from:to])
		return nil
	}
	tok, err := s.token()
	if err != nil {
		return err
	}
	word, err := tok.text()
	if err != nil {
		return s.fail("a string that cannot be read")
	}
	t.symbolRead([]byte(word))
	return nil
}

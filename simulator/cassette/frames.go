package cassette

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"sync"
)

// A tap passes the bytes of a websocket on and takes its messages down.
type tap struct {
	io.ReadWriteCloser
	received, sent *frameParser
}

func newTap(conn io.ReadWriteCloser, message func(sent bool, data []byte)) *tap {
	return &tap{
		ReadWriteCloser: conn,
		received:        &frameParser{message: func(b []byte) { message(false, b) }},
		sent:            &frameParser{message: func(b []byte) { message(true, b) }},
	}
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.ReadWriteCloser.Read(p)
	t.received.write(p[:n])
	return n, err
}

func (t *tap) Write(p []byte) (int, error) {
	n, err := t.ReadWriteCloser.Write(p)
	t.sent.write(p[:n])
	return n, err
}

// A frameParser finds the text messages in the bytes of one direction of a
// websocket (RFC 6455, 5.2). Control frames and compressed or binary messages are
// passed over; after bytes that are no frame it stays silent.
type frameParser struct {
	mu      sync.Mutex
	message func([]byte)
	buffer  bytes.Buffer
	whole   []byte // of a message in several frames
	text    bool
	broken  bool
}

// maxMessage bounds what is kept of one message.
const maxMessage = 64 << 20

func (f *frameParser) write(p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken {
		return
	}
	f.buffer.Write(p)
	for f.next() {
	}
}

// next takes one frame off the buffer and tells whether there was a whole one.
func (f *frameParser) next() bool {
	b := f.buffer.Bytes()
	if len(b) < 2 {
		return false
	}
	final, compressed, opcode := b[0]&0x80 != 0, b[0]&0x40 != 0, b[0]&0x0f
	masked, length, at := b[1]&0x80 != 0, uint64(b[1]&0x7f), 2
	switch length {
	case 126:
		if len(b) < 4 {
			return false
		}
		length, at = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return false
		}
		length, at = binary.BigEndian.Uint64(b[2:]), 10
	}
	var mask []byte
	if masked {
		if len(b) < at+4 {
			return false
		}
		mask = b[at : at+4]
		at += 4
	}
	if length > maxMessage || uint64(len(f.whole))+length > maxMessage {
		f.broken, f.whole = true, nil
		f.buffer.Reset()
		return false
	}
	if uint64(len(b)-at) < length {
		return false
	}
	payload := bytes.Clone(b[at : at+int(length)])
	for i := range payload {
		if masked {
			payload[i] ^= mask[i%4]
		}
	}
	f.buffer.Next(at + int(length))
	switch opcode {
	case 1, 2: // a message begins
		f.text, f.whole = opcode == 1 && !compressed, payload
	case 0:
		f.whole = append(f.whole, payload...)
	default:
		return true // a control frame, which may stand inside a message
	}
	if final {
		if f.text && json.Valid(f.whole) {
			f.message(f.whole)
		}
		f.whole, f.text = nil, false
	}
	return true
}

package dxlink

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
)

// TestRecordedMessages reads every DXLink message that was found in public
// repositories, each with the fields that its sender used, and accounts for
// every event and every message.
func TestRecordedMessages(t *testing.T) {
	file, err := os.Open(sharedtest.Path(t, "data", "streams", "dxlink_messages_collected.jsonl"))
	require.NoError(t, err)
	defer file.Close()
	// What the samples leave to the reader: fields of COMPACT data without a
	// FEED_CONFIG before it.
	unsaid := map[string]map[string][]string{
		"ravinagabhyru/dxlink-rs": {"Quote": {"eventSymbol", "eventType", "bidPrice", "askPrice", "bidSize", "askSize"}},
		"xmandeng/tastytrade_sdk": {"Trade": {"eventType", "eventSymbol", "price", "dayVolume", "size"}},
	}
	var events []string
	kinds := map[string]int{}
	messages, data, refused := 0, 0, 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var line struct {
			Repo string
			Msg  json.RawMessage
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
		messages++
		var m inbound
		if err := json.Unmarshal(line.Msg, &m); err != nil {
			refused++ // its author wrote it to be refused, or as a pattern
			continue
		}
		kinds[m.Type]++
		switch m.Type {
		case "FEED_DATA":
			d := everyKind(&events)
			for kind, fields := range unsaid[line.Repo] {
				d.tables[kind].configure(fields)
			}
			require.NoError(t, d.read(string(m.Data)), "%s", line.Msg)
			assert.Zero(t, d.skipped)
			channel, at, quick := feedData(line.Msg)
			if quick {
				assert.Equal(t, m.Channel, channel)
				assert.Equal(t, string(m.Data), string(line.Msg[at:at+len(m.Data)]))
			}
			data++
		case "DOM_SNAPSHOT":
			assert.NotEmpty(t, levels(m.Bids), "%s", line.Msg)
			assert.NotEmpty(t, levels(m.Asks), "%s", line.Msg)
		}
	}
	require.NoError(t, lines.Err())
	assert.Equal(t, 138, messages)
	assert.Equal(t, messages, refused+sum(kinds))
	assert.Equal(t, 3, refused, `a channel "not-a-number", a price "bad", a pattern with braces`)
	assert.Equal(t, 9, data, "kinds of messages: %v", kinds)
	assert.Len(t, events, 10, "one in each, two trades in one of them")
	assert.Contains(t, events, "Trade"+
		"{Symbol:BTC/USD:CXTALP EventTime:0001-01-01 00:00:00 +0000 UTC Time:0001-01-01 00:00:00 +0000 UTC TimeNanoPart:0 Sequence:0 Exchange: "+
		"Price:58356.71 Change:NaN Size:NaN DayID:0 DayVolume:NaN DayTurnover:NaN TickDirection: ExtendedHours:false}")
	assert.Equal(t, 3, kinds["DOM_SNAPSHOT"], "one more is refused")
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

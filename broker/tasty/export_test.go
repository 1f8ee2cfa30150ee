package tasty

import "github.com/ttai-go/ttai/broker"

// Dropped is how many notifications did not fit into a stream's buffer.
func Dropped(stream broker.EventStream) int { return stream.(*eventStream).stream.Dropped() }

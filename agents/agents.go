// Package agents has the words that models and tools share: a [Tool] is a typed
// function with a name, one sentence for the model, and schemas of its input
// and output. It knows no provider, no broker and no protocol.
package agents

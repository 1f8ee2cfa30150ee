package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ttai-go/ttai/agents"
)

// questionName is the key of the one question that a call may ask.
const questionName = "question"

// questionLife is how long a client may take to bring the answer.
const questionLife = 10 * time.Minute

// person is who stands behind a request, with the answer to the question that this
// server asked about the very same call; a client cannot bring an answer to what
// was not asked, nor one to another call.
func (b *builder) person(req *sdk.CallToolRequest) agents.Person {
	var p agents.Person
	if c := req.ClientCapabilities(); c != nil && c.Elicitation != nil {
		// A client that names no mode means forms: there was nothing else once.
		p.CanAnswer = c.Elicitation.Form != nil || c.Elicitation.URL == nil
	}
	if info := req.ClientInfo(); info != nil {
		p.Client = info.Name + " " + info.Version
	}
	if !p.CanAnswer || req.Params.RequestState == "" {
		return p
	}
	asked, ok := b.seal.open(req.Params.RequestState, b.opts.Now())
	if !ok || asked != callDigest(req) {
		return p
	}
	if result, ok := req.Params.InputResponses[questionName].(*sdk.ElicitResult); ok {
		p.Answer = &agents.Answer{Accepted: result.Action == "accept", Values: result.Content}
	}
	return p
}

// callDigest stands for a call: of which tool, with what. Who makes it is in the
// seal, which each caller has one of.
func callDigest(req *sdk.CallToolRequest) string {
	h := sha256.New()
	for _, part := range []string{req.Params.Name, string(req.Params.Arguments)} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// question turns the error of a tool that asks into the result that asks: newer
// clients bring the answer with the next call, older ones are asked by the protocol
// library while the call waits.
func (b *builder) question(req *sdk.CallToolRequest, err error) (*sdk.CallToolResult, bool) {
	q, ok := errors.AsType[*agents.QuestionError](err)
	if !ok {
		return nil, false
	}
	schema, err := json.Marshal(q.Question.Schema)
	if err != nil {
		return failure(err), true
	}
	state, err := b.seal.close(callDigest(req), b.opts.Now(), questionLife)
	if err != nil {
		return failure(err), true
	}
	return &sdk.CallToolResult{
		InputRequests: sdk.InputRequestMap{questionName: &sdk.ElicitParams{Message: q.Question.Message, RequestedSchema: json.RawMessage(schema)}},
		RequestState:  state,
	}, true
}

// withPerson is the context of one call.
func (b *builder) withPerson(ctx context.Context, req *sdk.CallToolRequest) context.Context {
	return agents.WithPerson(ctx, b.person(req))
}

package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/storage"
)

const (
	portfolioURI     = "ttai://portfolio"
	analysisURI      = "ttai://analysis/"
	analysisTemplate = analysisURI + "{symbol}"

	knowledgeURI      = "ttai://knowledge"
	knowledgeTemplate = knowledgeURI + "/{+document}"

	// longestDocument is how many bytes of a document are shown.
	longestDocument = 200 << 10
	// longestIndex is how many documents are listed.
	longestIndex = 500
	// reading bounds how long one of these resources takes.
	reading = 10 * time.Second
)

// addResources offers the portfolio and analyses to clients that attach
// context themselves. A resource is there when the tool it shows is.
func (b *builder) addResources(server *sdk.Server) {
	if t, ok := b.tool("portfolio"); ok {
		server.AddResource(&sdk.Resource{
			URI: portfolioURI, Name: "portfolio", Title: "Portfolio", MIMEType: "application/json",
			Description: "Accounts, balances and positions with profit, of the " + string(b.environment) + " environment.",
		}, func(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			raw, err := b.call(ctx, t, nil)
			return resource(req, raw, err)
		})
	}
	if t, ok := b.tool("analyst"); ok {
		server.AddResourceTemplate(&sdk.ResourceTemplate{
			URITemplate: analysisTemplate, Name: "analysis", Title: "Analysis of a symbol", MIMEType: "application/json",
			Description: "Evidence, views, verdict and candidates for one symbol, rule-based.",
		}, func(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			symbol, err := url.PathUnescape(strings.TrimPrefix(req.Params.URI, analysisURI))
			if err != nil {
				return nil, sdk.ResourceNotFoundError(req.Params.URI)
			}
			arguments, err := json.Marshal(map[string]string{"symbol": symbol})
			if err != nil {
				return nil, err
			}
			raw, err := b.call(ctx, t, arguments)
			return resource(req, raw, err)
		})
	}
}

// addKnowledge offers the list of documents and each of them. What a document says
// stands between the marks of data, which nothing in it can end.
func (b *builder) addKnowledge(server *sdk.Server) {
	t, ok := b.tool("knowledge")
	if !ok || b.deps.Knowledge == nil {
		return
	}
	base := b.deps.Knowledge
	server.AddResource(&sdk.Resource{
		URI: knowledgeURI, Name: "knowledge", Title: "Knowledge base", MIMEType: "application/json",
		Description: "The documents of the knowledge base: ids, collections, tags and dates.",
	}, func(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
		ctx, cancel := context.WithTimeout(ctx, reading)
		defer cancel()
		entries, err := base.List(ctx, "")
		if err != nil {
			return resource(req, nil, err)
		}
		type line struct {
			URI        string   `json:"uri"`
			Title      string   `json:"title"`
			Collection string   `json:"collection"`
			Tags       []string `json:"tags,omitempty"`
			Date       string   `json:"date,omitempty"`
			Shared     bool     `json:"shared,omitempty"`
		}
		list := struct {
			Documents []line `json:"documents"`
			LeftOut   int    `json:"left_out,omitempty"` // how many more there are
		}{Documents: []line{}}
		for i, e := range entries {
			if i == longestIndex {
				list.LeftOut = len(entries) - i
				break
			}
			list.Documents = append(list.Documents, line{knowledgeURI + "/" + e.ID, agents.Data(e.Title), e.Collection, e.Tags, e.Date.String(), e.Shared})
		}
		raw, err := json.Marshal(list)
		return resource(req, raw, err)
	})
	server.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: knowledgeTemplate, Name: "document", Title: "Document", MIMEType: "text/markdown",
		Description: "One document of the knowledge base, by the id that " + t.Name + " gives.",
	}, func(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
		ctx, cancel := context.WithTimeout(ctx, reading)
		defer cancel()
		id, err := url.PathUnescape(strings.TrimPrefix(req.Params.URI, knowledgeURI+"/"))
		if err != nil {
			return nil, sdk.ResourceNotFoundError(req.Params.URI)
		}
		d, err := base.Document(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			return nil, sdk.ResourceNotFoundError(req.Params.URI)
		}
		if err != nil {
			return resource(req, nil, err)
		}
		head := d.Title
		if d.Source != "" {
			head += "\n(" + d.Source + ")"
		}
		return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{
			URI: req.Params.URI, MIMEType: "text/markdown", Text: agents.DataUpTo(head+"\n\n"+d.Text, longestDocument),
		}}}, nil
	})
}

func resource(req *sdk.ReadResourceRequest, raw json.RawMessage, err error) (*sdk.ReadResourceResult, error) {
	if err != nil {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: message(err)}
	}
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: req.Params.URI, MIMEType: "application/json", Text: string(raw)}}}, nil
}

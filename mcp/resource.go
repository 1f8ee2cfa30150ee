package mcp

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	portfolioURI     = "ttai://portfolio"
	analysisURI      = "ttai://analysis/"
	analysisTemplate = analysisURI + "{symbol}"
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

func resource(req *sdk.ReadResourceRequest, raw json.RawMessage, err error) (*sdk.ReadResourceResult, error) {
	if err != nil {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: message(err)}
	}
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: req.Params.URI, MIMEType: "application/json", Text: string(raw)}}}, nil
}

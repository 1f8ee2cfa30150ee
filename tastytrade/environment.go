package tastytrade

import (
	"net/url"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// environmentOf returns Production or Sandbox for a base URL of the broker's,
// and "" for any other.
func environmentOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	switch host := strings.ToLower(u.Hostname()); host {
	case "api.tastyworks.com", "api.tastytrade.com":
		return Production
	case "api.cert.tastyworks.com", "api.cert.tastytrade.com":
		return Sandbox
	}
	return ""
}

// encrypted refuses to speak to the broker's own hosts without TLS, whatever
// the connections are made with.
func encrypted(base string) error {
	if u, err := url.Parse(base); err == nil && environmentOf(base) != "" && u.Scheme != "https" {
		return invalid.Field("BaseURL", base, "https, for a host of the broker's")
	}
	return nil
}

// streamURL checks the address of a stream. A token of the broker's goes over
// TLS only, or to this machine.
func (c *Client) streamURL(address string) error {
	_, err := wsconn.ParseURL(address, c.opts.Dial != nil && c.environment() == "")
	return err
}

func (c *Client) environment() string { return environmentOf(c.opts.BaseURL) }

// nameOf is how messages call an environment.
func nameOf(environment string) string {
	switch environment {
	case Production:
		return "production"
	case Sandbox:
		return "the sandbox"
	}
	return "this server"
}

// grantHint says what a refused grant most often is.
func grantHint(base string) string {
	switch environmentOf(base) {
	case Production:
		return "production refused the grant: grants of the sandbox are unknown to it, and a grant ends when it is deleted or the client secret is made anew"
	case Sandbox:
		return "the sandbox refused the grant: grants and client secrets of production are unknown to it, make one in the developer portal's sandbox"
	}
	return ""
}

// mixUp says what a refused token most often is, besides expired.
func (c *Client) mixUp() string {
	switch c.environment() {
	case Production:
		return "production refused the token: a token of the sandbox is unknown to it"
	case Sandbox:
		return "the sandbox refused the token: a token of production is unknown to it"
	}
	return ""
}

// An issuer is a token source that knows where its tokens come from.
type issuer interface{ issuedBy() string }

// sameEnvironment refuses tokens of one environment for the other.
func sameEnvironment(tokens TokenSource, base string) error {
	from, ok := tokens.(issuer)
	if !ok {
		return nil
	}
	theirs, ours := environmentOf(from.issuedBy()), environmentOf(base)
	if theirs != "" && ours != "" && theirs != ours {
		return invalid.Field("BaseURL", base, "the environment that the tokens come from, which is "+nameOf(theirs))
	}
	return nil
}

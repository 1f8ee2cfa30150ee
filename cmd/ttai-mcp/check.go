package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// checkTime bounds how long a server may take to say that it is well.
const checkTime = 3 * time.Second

// checkHealth asks the server at addr whether it is well. Containers have no
// other program to ask with.
func checkHealth(ctx context.Context, addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return invalid.Field("check", addr, "HOST:PORT, such as "+defaultAddr)
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/healthz", nil)
	if err != nil {
		return invalid.Field("check", addr, "HOST:PORT, such as "+defaultAddr)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return fmt.Errorf("no server answers at %s: %w", addr, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server at %s is not well: it answers %s", addr, resp.Status)
	}
	return nil
}

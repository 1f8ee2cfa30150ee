package s3_test

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/s3"
)

func Example() {
	ctx := context.Background()
	// A service in this process stands for the real one.
	backend := s3mem.New()
	if err := backend.CreateBucket("results"); err != nil {
		fmt.Println(err)
		return
	}
	service := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer service.Close()

	store, err := s3.Open(s3.Options{Bucket: "results", Endpoint: service.URL, PathStyle: true, AccessKey: "key", SecretKey: "secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, err := store.For(storage.Local)
	if err != nil {
		fmt.Println(err)
		return
	}
	backtests, err := tenant.Objects("backtests")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = backtests.Put(ctx, "2026/wheel.ndjson", strings.NewReader("line one\nline two\n"), &storage.PutOptions{ContentType: "application/x-ndjson", IfAbsent: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	object, body, err := backtests.Get(ctx, "2026/wheel.ndjson", &storage.Range{Offset: 9})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer body.Close()
	rest, err := io.ReadAll(body)
	fmt.Printf("%d bytes of %s; from 9 on: %q %v\n", object.Size, object.ContentType, rest, err)
	// Output: 18 bytes of application/x-ndjson; from 9 on: "line two\n" <nil>
}

package notify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/notify"
)

func Example() {
	store, err := memory.New(nil)
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
	sent := make(chan struct{}, 1)
	service, err := notify.New(tenant, &notify.Options{
		Out: os.Stdout, Batches: workflow.Batches{Most: 1},
		Observer: func(notify.Outcome) { sent <- struct{}{} },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	running := make(chan error, 1)
	go func() { running <- service.Run(ctx) }()

	// A channel of the terminal needs no secret.
	if err := service.Add(ctx, notify.Channel{ID: "screen", User: "ann", Kind: notify.Terminal}, nil); err != nil {
		fmt.Println(err)
	}
	alert := notify.Notification{
		User: "ann", Key: "alert-7/2026-03-03", Topic: "alerts", Time: time.Date(2026, 3, 3, 15, 4, 5, 0, time.UTC),
		Title: "SPY above 500", Facts: []notify.Fact{{Name: "Price", Value: "500.05"}},
	}
	for range 2 { // the second has the same key
		result, err := service.Notify(ctx, alert)
		if err != nil {
			fmt.Println(err)
		}
		if !result.Duplicate {
			<-sent
		}
		fmt.Println("duplicate:", result.Duplicate)
	}
	cancel()
	<-running
	// Output:
	// 10:04:05  SPY above 500
	//
	//     Price: 500.05
	// duplicate: false
	// duplicate: true
}

// A receiver of webhooks verifies who sent them.
func ExampleVerifyWebhook() {
	const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // from 'ttai notify add'
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
		if err != nil || notify.VerifyWebhook(key, r.Header, body, time.Unix(1614265330, 0)) != nil {
			http.Error(w, "not signed", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "thank you")
	}
	for _, body := range []string{`{"test": 2432232314}`, `{"test": 0}`} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set(notify.WebhookID, "msg_p5jXN8AQM9LWM0D4loKWxJek")
		r.Header.Set(notify.WebhookTimestamp, "1614265330")
		r.Header.Set(notify.WebhookSignature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
		w := httptest.NewRecorder()
		handler(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// 200 thank you
	// 401 not signed
}

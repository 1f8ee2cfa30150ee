package knowledge_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/storage/memory"
)

func Example() {
	ctx := context.Background()
	store, err := memory.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	base, err := knowledge.Open(store, "local", &knowledge.Options{Starter: true})
	if err != nil {
		log.Fatal(err)
	}
	note, err := knowledge.Parse(ctx, "rules.md", []byte("---\ntags: [rules]\n---\n# My rules\n\nI never hold short options into earnings."))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := base.Add(ctx, note); err != nil {
		log.Fatal(err)
	}
	found, err := base.Search(ctx, knowledge.Query{Text: "may I be short options over an earnings report?", Tags: []string{"rules"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range found.Passages {
		fmt.Printf("%s (%s): %s\n", p.Title, p.Document, p.Text)
	}
	// Output:
	// My rules (notes/rules): I never hold short options into earnings.
}

func ExampleBase_Search() {
	ctx := context.Background()
	store, err := memory.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	base, err := knowledge.Open(store, "local", &knowledge.Options{Starter: true})
	if err != nil {
		log.Fatal(err)
	}
	found, err := base.Search(ctx, knowledge.Query{Text: "why are downside puts more expensive than calls?", Limit: 1})
	if err != nil {
		log.Fatal(err)
	}
	p := found.Passages[0]
	fmt.Println(p.Title, p.Document, p.Shared)
	// Output:
	// Volatility skew starter/volatility-skew true
}

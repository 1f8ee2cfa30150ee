package tools_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
)

// The option calculator needs no broker and no market.
func ExampleNew() {
	for _, tool := range tools.New(tools.Deps{Environment: broker.Simulator, Rate: 0.04}) {
		if tool.Name != "price_option" {
			continue
		}
		raw, err := tool.Call(context.Background(), json.RawMessage(`{"kind": "put", "spot": 550, "strike": 520, "days": 30, "vol": 0.18}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		var out struct {
			Price float64 `json:"price"`
			Delta float64 `json:"delta"`
		}
		if err := json.Unmarshal(raw, &out); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.2f %.3f\n", out.Price, out.Delta)
	}
	// Output: 1.71 -0.120
}

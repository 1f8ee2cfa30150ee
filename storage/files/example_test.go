package files_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := files.Open(dir, nil)
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
	reports, err := tenant.Objects("reports")
	if err != nil {
		fmt.Println(err)
		return
	}
	object, err := reports.Put(ctx, "../any key/is safe", strings.NewReader("text"), nil)
	fmt.Println(object.Key, object.Size, err)
	// Output: ../any key/is safe 4 <nil>
}

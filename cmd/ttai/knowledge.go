package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/civil"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

type knowledgeCommand struct {
	Add     knowledgeAdd     `cmd:"" help:"Add files and folders, or bring them up to date."`
	Search  knowledgeSearch  `cmd:"" help:"Find the passages that answer a question."`
	List    knowledgeList    `cmd:"" help:"The documents."`
	Remove  knowledgeRemove  `cmd:"" help:"Remove documents, or a whole collection."`
	Reindex knowledgeReindex `cmd:"" help:"Make the index anew, after a change of the embedder, or to clean up."`
	Export  knowledgeExport  `cmd:"" help:"Write the documents out, as lines of JSON or as Markdown files."`
}

// Help is shown below the commands.
func (knowledgeCommand) Help() string {
	return `Examples:
  ttai knowledge search how fast do options decay
  ttai knowledge add notes/ book.pdf --collection notes --tag own
  ttai knowledge search --collection notes --from 2026-01-01 --json when do I close a put spread
  ttai knowledge export > knowledge.jsonl && ttai knowledge add knowledge.jsonl
  ttai knowledge remove notes/old

Markdown (with front matter), text, HTML and PDF are read. Searching needs no network: the words of a question and the
letters of its words are compared with those of the documents. TTAI_EMBEDDER names a server that knows meanings as well.
A starter library on strategies, Greeks, volatility, risk, orders, levels and indicators is there from the beginning.
--shared works on the documents that all users of the store read.
Exit code: 0 done, 1 it failed, or nothing was found, 2 what was asked is wrong.`
}

// knowledgeFlags are those of all of its commands.
type knowledgeFlags struct {
	storeCommand
	Shared bool `help:"Work on the documents that all users of the store read."`
}

// base opens the knowledge base for as long as f takes.
func (c knowledgeFlags) base(s *session, f func(context.Context, *knowledge.Base) error) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		tenant := storage.Local
		if c.Shared {
			tenant = knowledge.Shared
		}
		b, err := app.OpenKnowledge(store, tenant, s.sources)
		if err != nil {
			return err
		}
		err = f(ctx, b)
		if errors.Is(err, knowledge.ErrModel) {
			return fmt.Errorf("%w: ttai knowledge reindex", err)
		}
		return err
	})
}

func (c knowledgeFlags) showChanges(s *session, changes []knowledge.Change) error {
	return c.print(s, map[string]any{"changes": changes}, func(out io.Writer) {
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, ch := range changes {
			fmt.Fprintf(table, "%s\t%s\t%s\n", ch.Status, ch.ID, ch.Title)
		}
		_ = table.Flush() // what it writes to is checked by whoever reads it
	})
}

type knowledgeAdd struct {
	knowledgeFlags
	Paths      []string `arg:"" help:"Files, folders, or exports (.jsonl)." type:"path"`
	Collection string   `help:"The collection for documents that name none." placeholder:"NAME"`
	Tag        []string `help:"Tags to add to each document." placeholder:"TAG,…"`
}

// Run adds documents.
func (c knowledgeAdd) Run(s *session) error {
	documents, skipped, err := c.read(s.ctx)
	if err != nil {
		return err
	}
	if len(documents) == 0 {
		return errors.Join(append(skipped, errors.New("there is nothing to add: no file ends in .md, .txt, .html, .pdf or .jsonl"))...)
	}
	return c.base(s, func(ctx context.Context, b *knowledge.Base) error {
		changes, err := b.Add(ctx, documents...)
		if failed := c.showChanges(s, changes); failed != nil {
			return failed
		}
		for _, problem := range skipped {
			fmt.Fprintln(s.std.Err, "ttai knowledge: left out:", problem)
		}
		if err == nil && len(skipped) > 0 {
			err = fmt.Errorf("%d files could not be read", len(skipped))
		}
		return err
	})
}

var readable = map[string]bool{".md": true, ".markdown": true, ".txt": true, ".html": true, ".htm": true, ".pdf": true, ".jsonl": true}

// read reads what the paths name. In folders, files that cannot be read are
// skipped and said; hidden ones and links are passed over.
func (c knowledgeAdd) read(ctx context.Context) (documents []knowledge.Document, skipped []error, err error) {
	for _, path := range c.Paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, app.Usage(err)
		}
		if !info.IsDir() {
			found, err := c.file(ctx, path)
			if err != nil {
				return nil, nil, err
			}
			documents = append(documents, found...)
			continue
		}
		err = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				skipped = append(skipped, err)
				return nil
			case ctx.Err() != nil:
				return ctx.Err()
			case at != path && strings.HasPrefix(entry.Name(), "."):
				if entry.IsDir() {
					return filepath.SkipDir
				}
				return nil
			case !entry.Type().IsRegular() || !readable[strings.ToLower(filepath.Ext(at))]:
				return nil
			}
			found, err := c.file(ctx, at)
			if err != nil {
				skipped = append(skipped, fmt.Errorf("%s: %w", at, err))
				return nil
			}
			documents = append(documents, found...)
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return documents, skipped, nil
}

func (c knowledgeAdd) file(ctx context.Context, path string) ([]knowledge.Document, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	exported := strings.EqualFold(filepath.Ext(path), ".jsonl")
	if info.Size() > knowledge.MaxFile && !exported {
		return nil, invalid.Fieldf("file", path, "at most %d bytes", knowledge.MaxFile)
	}
	var out []knowledge.Document
	if exported {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		for d, err := range knowledge.ReadExport(file) {
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			out = append(out, d)
		}
	} else {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		d, err := knowledge.Parse(ctx, sourceOf(path), data)
		if err != nil {
			return nil, err
		}
		out = []knowledge.Document{d}
	}
	for i := range out {
		if out[i].Collection == "" {
			out[i].Collection = c.Collection
		}
		out[i].Tags = append(out[i].Tags, c.Tag...)
	}
	return out, nil
}

// sourceOf names a file by its path from here, if it is below, so that the same
// file has the same name on each machine.
func sourceOf(path string) string {
	if here, err := os.Getwd(); err == nil {
		if below, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(below) {
			path = below
		}
	}
	return filepath.ToSlash(path)
}

type knowledgeSearch struct {
	knowledgeFlags
	Question   []string `arg:"" help:"What to look for, in words."`
	Limit      int      `help:"How many passages." default:"5"`
	Mode       string   `help:"How to find: hybrid, words or vectors." enum:"hybrid,words,vectors" default:"hybrid"`
	Collection []string `help:"Only these collections." placeholder:"NAME,…"`
	Tag        []string `help:"Only documents with all of these tags." placeholder:"TAG,…"`
	Source     string   `help:"Only documents from this source; with * at the end, from sources that begin so." placeholder:"SOURCE"`
	From       string   `help:"Only documents of this date or later." placeholder:"DATE"`
	To         string   `help:"Only documents of this date or earlier." placeholder:"DATE"`
}

// errNothingFound makes the exit code 1.
var errNothingFound = errors.New("nothing was found")

// Run searches.
func (c knowledgeSearch) Run(s *session) error {
	q := knowledge.Query{
		Text: strings.Join(c.Question, " "), Limit: c.Limit, Mode: knowledge.Mode(c.Mode),
		Collections: c.Collection, Tags: c.Tag, Source: c.Source,
	}
	for _, day := range []struct {
		name, text string
		into       *knowledge.Date
	}{{"from", c.From, &q.From}, {"to", c.To, &q.To}} {
		if day.text == "" {
			continue
		}
		date, err := civil.ParseDate(day.text)
		if err != nil {
			return invalid.Field(day.name, day.text, "a date such as 2026-12-18")
		}
		*day.into = date
	}
	return c.base(s, func(ctx context.Context, b *knowledge.Base) error {
		found, err := b.Search(ctx, q)
		if err != nil {
			return err
		}
		for _, note := range found.Notes {
			fmt.Fprintln(s.std.Err, "ttai knowledge:", note)
		}
		err = c.print(s, found, func(out io.Writer) {
			for i, p := range found.Passages {
				head := p.Title
				if len(p.Path) > 0 {
					head += " › " + strings.Join(p.Path, " › ")
				}
				fmt.Fprintf(out, "%d. %s\n   %s", i+1, head, p.Document)
				if p.Source != "" {
					fmt.Fprintf(out, ", %s", p.Source)
				}
				if !p.Date.IsZero() {
					fmt.Fprintf(out, ", %s", p.Date)
				}
				fmt.Fprintf(out, ", score %.4f\n\n   %s\n\n", p.Score, strings.ReplaceAll(p.Text, "\n", "\n   "))
			}
		})
		if err == nil && len(found.Passages) == 0 {
			return errNothingFound
		}
		return err
	})
}

type knowledgeList struct {
	knowledgeFlags
	Collection string `help:"Only this collection." placeholder:"NAME"`
}

// Run lists the documents.
func (c knowledgeList) Run(s *session) error {
	return c.base(s, func(ctx context.Context, b *knowledge.Base) error {
		list, err := b.List(ctx, c.Collection)
		if err != nil {
			return err
		}
		return c.print(s, map[string]any{"documents": list, "embedder": b.Embedder().Model()}, func(out io.Writer) {
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			for _, e := range list {
				fmt.Fprintf(table, "%s\t%s\t%s\t%d chunks\t%s\n", e.ID, e.Title, e.Date, e.Chunks, strings.Join(e.Tags, " "))
			}
			_ = table.Flush() // what it writes to is checked by whoever reads it
			if len(list) == 0 {
				fmt.Fprintln(out, "there is no document yet")
			}
		})
	})
}

type knowledgeRemove struct {
	knowledgeFlags
	ID         []string `arg:"" optional:"" name:"id" help:"Ids, as the list shows them."`
	Collection string   `help:"Remove all documents of this collection." placeholder:"NAME"`
}

// Run removes documents.
func (c knowledgeRemove) Run(s *session) error {
	if (len(c.ID) == 0) == (c.Collection == "") {
		return app.Usage(errors.New("name the ids of documents, or a collection with --collection"))
	}
	return c.base(s, func(ctx context.Context, b *knowledge.Base) error {
		var changes []knowledge.Change
		var err error
		if c.Collection != "" {
			changes, err = b.RemoveCollection(ctx, c.Collection)
		} else {
			changes, err = b.Remove(ctx, c.ID...)
		}
		if len(changes) > 0 {
			if failed := c.showChanges(s, changes); failed != nil {
				return failed
			}
		}
		return err
	})
}

type knowledgeReindex struct {
	knowledgeFlags
	Force bool `help:"Embed everything again, whether it changed or not."`
}

// Run makes the index anew.
func (c knowledgeReindex) Run(s *session) error {
	return c.base(s, func(ctx context.Context, b *knowledge.Base) error {
		done, err := b.Reindex(ctx, &knowledge.ReindexOptions{Force: c.Force, Progress: func(n, all int) {
			if !c.JSON && (n%100 == 0 || n == all) {
				fmt.Fprintf(s.std.Err, "%d of %d documents\n", n, all)
			}
		}})
		if err != nil {
			return err
		}
		if c.Shared {
			if _, err := b.AddStarter(ctx); err != nil {
				return err
			}
		}
		return c.print(s, done, func(out io.Writer) {
			fmt.Fprintf(out, "%d documents, %d chunks, %d embedded with %s, %d left over removed\n", done.Documents, done.Chunks, done.Embedded, done.Model, done.Swept)
		})
	})
}

type knowledgeExport struct {
	knowledgeFlags
	Collection string `help:"Only this collection." placeholder:"NAME"`
	Dir        string `help:"Write Markdown files into this folder, which must be empty or new." type:"path" placeholder:"FOLDER"`
}

// Run exports the documents.
func (c knowledgeExport) Run(s *session) error {
	return c.base(s, func(ctx context.Context, b *knowledge.Base) error {
		if c.Dir == "" {
			_, err := b.Export(ctx, s.std.Out, c.Collection)
			return err
		}
		n, err := c.files(ctx, b)
		if err != nil {
			return err
		}
		return c.print(s, map[string]any{"documents": n, "folder": c.Dir}, func(out io.Writer) {
			fmt.Fprintf(out, "%d documents written to %s\n", n, c.Dir)
		})
	})
}

// files writes each document to a file that is named for its id. Nothing is
// written outside the folder.
func (c knowledgeExport) files(ctx context.Context, b *knowledge.Base) (n int, err error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if held, err := fs.ReadDir(root.FS(), "."); err != nil || len(held) > 0 {
		return 0, errors.Join(err, invalid.Field("dir", c.Dir, "an empty folder, or a new one"))
	}
	for d, err := range b.Documents(ctx, c.Collection) {
		if err != nil {
			return n, err
		}
		name := d.ID + ".md"
		if err := root.MkdirAll(filepath.FromSlash(pathDir(name)), 0o755); err != nil {
			return n, err
		}
		if err := root.WriteFile(filepath.FromSlash(name), d.WriteMarkdown(), 0o644); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func pathDir(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// dot is a picture of one red point.
func dot() []byte {
	point := image.NewRGBA(image.Rect(0, 0, 1, 1))
	point.Set(0, 0, color.RGBA{R: 255, A: 255})
	var b bytes.Buffer
	if err := png.Encode(&b, point); err != nil {
		panic(err) // a point can be encoded
	}
	return b.Bytes()
}

// silence is a sound file of one sample: PCM, mono, 8,000 samples a second of
// 16 bits, with the headers of the WAVE format.
func silence() []byte {
	const rate, width, samples = 8000, 2, 1
	var b []byte
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+samples*width)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	for _, v := range []uint16{1, 1} { // PCM, one channel
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, rate*width)
	for _, v := range []uint16{width, 8 * width} { // bytes and bits of a sample
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, samples*width)
	return append(b, make([]byte, samples*width)...)
}

func picture() sdk.Content { return &sdk.ImageContent{Data: dot(), MIMEType: "image/png"} }

func sound() sdk.Content { return &sdk.AudioContent{Data: silence(), MIMEType: "audio/wav"} }

const (
	watched  = "test://watched-resource"
	template = "test://template/{id}/data"
)

// addResources adds a text, a picture, a template, and a resource that says
// every three seconds that it has changed.
func addResources(ctx context.Context, server *sdk.Server) {
	add := func(uri, kind string, body sdk.ResourceContents) {
		server.AddResource(&sdk.Resource{URI: uri, Name: uri, MIMEType: kind}, func(_ context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			c := body
			c.URI, c.MIMEType = req.Params.URI, kind
			return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{&c}}, nil
		})
	}
	add("test://static-text", "text/plain", sdk.ResourceContents{Text: "This text is always the same."})
	add("test://static-binary", "image/png", sdk.ResourceContents{Blob: dot()})
	add(watched, "text/plain", sdk.ResourceContents{Text: "This text is watched."})
	server.AddResourceTemplate(&sdk.ResourceTemplate{URITemplate: template, Name: "template", MIMEType: "application/json"},
		func(_ context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			before, after, _ := strings.Cut(template, "{id}")
			id := strings.TrimSuffix(strings.TrimPrefix(req.Params.URI, before), after)
			data, err := json.Marshal(map[string]any{"id": id, "templateTest": true, "data": "Data for ID: " + id})
			if err != nil {
				return nil, err
			}
			return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: req.Params.URI, MIMEType: "application/json", Text: string(data)}}}, nil
		})
	go func() {
		ticker := time.NewTicker(3 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				// Nobody may have subscribed, or have gone: neither matters here.
				_ = server.ResourceUpdated(ctx, &sdk.ResourceUpdatedNotificationParams{URI: watched})
			case <-ctx.Done():
				return
			}
		}
	}()
}

// prompt answers with these parts, each as a message of the user.
func prompt(parts ...sdk.Content) sdk.PromptHandler {
	return func(context.Context, *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		var messages []*sdk.PromptMessage
		for _, part := range parts {
			messages = append(messages, &sdk.PromptMessage{Role: "user", Content: part})
		}
		return &sdk.GetPromptResult{Messages: messages}, nil
	}
}

func addPrompts(server *sdk.Server) {
	server.AddPrompt(&sdk.Prompt{Name: "test_simple_prompt", Description: suite}, prompt(text("A simple prompt.")))
	server.AddPrompt(&sdk.Prompt{Name: "test_prompt_with_image", Description: suite}, prompt(picture(), text("What is in the image?")))
	server.AddPrompt(&sdk.Prompt{Name: "test_prompt_with_arguments", Description: suite, Arguments: []*sdk.PromptArgument{{Name: "arg1", Required: true}, {Name: "arg2", Required: true}}},
		func(ctx context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			given := req.Params.Arguments
			return prompt(text("The arguments are '%s' and '%s'.", given["arg1"], given["arg2"]))(ctx, req)
		})
	server.AddPrompt(&sdk.Prompt{Name: "test_prompt_with_embedded_resource", Description: suite, Arguments: []*sdk.PromptArgument{{Name: "resourceUri", Required: true}}},
		func(ctx context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			part := &sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: req.Params.Arguments["resourceUri"], MIMEType: "text/plain", Text: "An embedded resource."}}
			return prompt(part, text("What does the resource say?"))(ctx, req)
		})
}

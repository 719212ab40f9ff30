package slack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/sim/simslack"
)

const (
	npmFolder   = "../../internal/sim/simslack/testdata/npm"
	cardsFolder = "../../internal/card/testdata"
)

// npm runs a script that holds a file against Slack's own type definitions. They are npm packages.
func npm(t *testing.T, script string, file any) {
	t.Helper()
	if os.Getenv("ELEVATE_NPM") != "1" {
		t.Skip("asks an npm package; set ELEVATE_NPM=1, with node installed and npm ci run in " + npmFolder + ", to run it")
	}
	raw, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), "node", script, path)
	check.Dir = npmFolder
	out, err := check.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func TestSlacksTypesTakeEveryCardAndForm(t *testing.T) {
	npm(t, "check-blocks.mjs", drawn(t))
}

func TestSlacksLimitsTakeEveryCardAndForm(t *testing.T) {
	for _, d := range drawn(t) {
		if bad := d.refused(); len(bad) > 0 {
			t.Errorf("%s: Slack would refuse it: %q", d.Name, bad)
		}
	}
}

// drawing is a message or a view as it reached Slack.
type drawing struct {
	Name   string `json:"name"`
	Blocks []any  `json:"blocks,omitempty"`
	View   object `json:"view,omitempty"`
}

func (d drawing) refused() []string {
	if d.View != nil {
		return simslack.CheckView(d.View)
	}
	return simslack.CheckBlocks(d.Blocks)
}

// drawn is everything that the product can send: each card and form that package card keeps, the messages and views of
// this adapter itself, and cards and forms that hold too much of everything.
func drawn(t *testing.T) []drawing {
	t.Helper()
	all := append(kept(t), drawing{Name: "hostile form", View: openedAt(t, hostileForm())})
	for name, c := range cards() {
		all = append(all, drawing{Name: name, Blocks: postedAt(t, c)})
	}
	for name, text := range hostileTexts() {
		all = append(all, drawing{Name: "hostile card, " + name, Blocks: postedAt(t, hostileCard(text))})
	}
	all = append(all, drawing{Name: "form", View: openedAt(t, askForm())})
	b := newBench(t, nil)
	b.event(object{"type": "app_home_opened", "user": alice, "tab": "home"}, nil)
	b.handler.Close()
	home, _ := b.api.to("views.publish")[0].json["view"].(object)
	return append(all, drawing{Name: "home", View: home})
}

// kept draws the cards and forms that package card keeps: every state for every viewer, the answers and the forms.
func kept(t *testing.T) []drawing {
	t.Helper()
	var all []drawing
	for folder, least := range map[string]int{"cards": 60, "answers": 20, "forms": 5} {
		paths, err := filepath.Glob(filepath.Join(cardsFolder, folder, "*.json"))
		if err != nil || len(paths) < least {
			t.Fatalf("%d kept %s: %v", len(paths), folder, err)
		}
		for _, path := range paths {
			d := drawing{Name: folder + "/" + strings.TrimSuffix(filepath.Base(path), ".json")}
			if folder == "forms" {
				d.View = openedAt(t, keptIn[card.Form](t, path))
			} else {
				d.Blocks = postedAt(t, keptIn[card.Card](t, path))
			}
			all = append(all, d)
		}
	}
	return all
}

// keptIn reads a card or form of package card's golden files, where a span of words stands as "kind: words".
func keptIn[T any](t *testing.T, path string) T {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.ReplaceAll(raw, []byte(`"workspace": "T1"`), []byte(`"workspace": "`+team+`"`))
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	if raw, err = json.Marshal(spelled(tree)); err != nil {
		t.Fatal(err)
	}
	var out T
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&out); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

// spelled writes shortened spans out. A text is the only list that holds strings.
func spelled(tree any) any {
	switch v := tree.(type) {
	case object:
		for key := range v {
			v[key] = spelled(v[key])
		}
	case []any:
		for i := range v {
			kind, words, short := strings.Cut(fmt.Sprint(v[i]), ": ")
			if _, is := v[i].(string); is && short {
				v[i] = object{strings.ToUpper(kind[:1]) + kind[1:]: words}
			} else {
				v[i] = spelled(v[i])
			}
		}
	}
	return tree
}

// keptAt is a moment of the kept cards' story.
var keptAt = time.Date(2026, 3, 2, 14, 7, 0, 0, time.UTC)

func keptBench(t *testing.T) *bench {
	t.Helper()
	return newBench(t, func(cfg *slack.Config, _ *slack.HandlerConfig) {
		cfg.Now = func() time.Time { return keptAt }
	})
}

func postedAt(t *testing.T, c card.Card) []any {
	t.Helper()
	blocks, _ := keptBench(t).posted(t, c)
	return blocks
}

func openedAt(t *testing.T, f card.Form) object {
	t.Helper()
	return keptBench(t).opened(t, f)
}

// hostileTexts are too long, or made of characters that count or read differently.
func hostileTexts() map[string]string {
	return map[string]string{
		"long":          strings.Repeat("word ", 2000),
		"without gaps":  strings.Repeat("x", 10_000),
		"to escape":     strings.Repeat("<&>", 3334),
		"emoji":         strings.Repeat("\U0001F600\U0001F468\u200D\U0001F469\u200D\U0001F467\u26A0\uFE0F", 1500),
		"right to left": strings.Repeat("\u202E\u05E9\u05DC\u05D5\u05DD \u2066x", 1000),
		"markup":        strings.Repeat("<!channel> *b* :smile: `c`\n> ", 400),
		"blank":         strings.Repeat(" \n\t", 4000),
		"unseen":        strings.Repeat("\u200B\u2060", 5000),
		"broken":        strings.Repeat("\xff\u0000", 5000),
		"empty":         "",
	}
}

// hostileCard has one text in every place, and too much of everything.
func hostileCard(s string) card.Card {
	c := card.Card{Title: s, Fallback: s, Tone: card.Alarm, Request: pim.RequestID(s)}
	whole := card.Text{
		{Typed: s},
		{Plain: s},
		{Strong: s},
		{Code: s},
		{Time: keptAt},
		{Account: aliceAccount},
		{Account: pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: s}},
		{Link: card.Link{Label: s, URL: "https://example.com/?a=b&c=<d>|e"}},
		{Link: card.Link{URL: "https://example.com/" + s}},
	}
	c.Lines = append(c.Lines, whole)
	for i := range 60 {
		one := whole[i%len(whole):][:1]
		c.Lines, c.Notes = append(c.Lines, one), append(c.Notes, one)
		c.Facts = append(c.Facts, card.Fact{Label: s, Value: one})
		c.Steps = append(c.Steps, card.Step{What: one, At: keptAt})
		c.Mention = append(c.Mention, aliceAccount)
	}
	for range 10 {
		c.Buttons = append(c.Buttons,
			card.Button{Label: s, Act: card.Approve, Style: card.Primary, Confirm: &card.Confirm{Title: s, Text: s, Yes: s, No: s}},
			card.Button{Label: s, Act: card.SignIn, URL: "https://example.com/" + s}, card.Button{Label: s, Act: card.OpenForm, Role: s})
	}
	return c
}

func hostileForm() card.Form {
	f := card.Form{Name: card.FormAsk, Request: "k7m2pq"}
	for name, text := range hostileTexts() {
		f.Title, f.Submit = text, text
		f.Lines = append(f.Lines, card.Typed(text))
		f.Fields = append(f.Fields,
			card.Field{Name: name, Label: text, Hint: text, Value: text, Long: true, Max: 10_000},
			card.Field{Name: name + " of many", Label: text, Options: []card.Option{{Value: name, Label: text}, {Value: text, Label: name}}})
	}
	return f
}

package teams

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/card"
	"elevate/internal/pim"
)

const cardsFolder = "../../internal/card/testdata"

// keptAt is a moment of the kept cards' story.
var keptAt = time.Date(2026, 3, 2, 14, 7, 0, 0, time.UTC)

// everyCard is what can be sent: each card and form that package card keeps, for
// one person and for many, and texts that try to break out.
func everyCard(t *testing.T) map[string]element {
	t.Helper()
	all := map[string]element{}
	views := []string{"29:alice", "29:bob"}
	for folder, least := range map[string]int{"cards": 60, "answers": 20, "forms": 5} {
		paths, err := filepath.Glob(filepath.Join(cardsFolder, folder, "*.json"))
		if err != nil || len(paths) < least {
			t.Fatalf("%d kept %s: %v", len(paths), folder, err)
		}
		for _, path := range paths {
			name := folder + "/" + strings.TrimSuffix(filepath.Base(path), ".json")
			if folder == "forms" {
				all[name], _ = drawing{now: keptAt, zone: time.UTC}.form(keptIn[card.Form](t, path), nil, map[string]string{card.FieldReason: "Give a reason."})
				continue
			}
			c := keptIn[card.Card](t, path)
			all[name+" for one"] = drawnAs(t, drawing{now: keptAt, zone: time.FixedZone("CET", 3600)}, c, nil)
			all[name+" for many"] = drawnAs(t, drawing{now: keptAt, shared: true, sandbox: true}, c, views)
		}
	}
	for name, text := range hostile() {
		all["hostile "+name] = drawnAs(t, drawing{now: keptAt, shared: true}, hostileCard(text), views)
	}
	return all
}

func drawnAs(t *testing.T, d drawing, c card.Card, views []string) element {
	t.Helper()
	drawn, err := d.adaptive(c, views)
	if err != nil {
		t.Fatal(err)
	}
	return drawn
}

// keptIn reads a card or form of package card's golden files, where a span of
// words stands as "kind: words".
func keptIn[T any](t *testing.T, path string) T {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	if raw, err = json.Marshal(spelled(tree)); err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return out
}

// spelled writes shortened spans out. A text is the only list that holds strings.
func spelled(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		for key := range v {
			v[key] = spelled(v[key])
		}
	case []any:
		for i := range v {
			kind, words, short := strings.Cut(fmt.Sprint(v[i]), ": ")
			if _, is := v[i].(string); is && short {
				v[i] = map[string]any{strings.ToUpper(kind[:1]) + kind[1:]: words}
			} else {
				v[i] = spelled(v[i])
			}
		}
	}
	return tree
}

func hostile() map[string]string {
	return map[string]string{
		"markdown": "**bold** [click me](https://evil.example) # big\n- list `code` _i_",
		"function": "{{DATE(2026-01-01T00:00:00Z, SHORT)}} ${secret} {{TIME(2026-01-01T00:00:00Z)}}",
		"html":     "<at>Everyone</at> <script>alert(1)</script> &lt;b&gt;",
		"long":     strings.Repeat("word ", 4000),
		"unseen":   "a\u202Eb\u200Bc\u0000d",
		"emoji":    strings.Repeat("\U0001F468\u200D\U0001F469", 3000),
	}
}

func hostileCard(s string) card.Card {
	c := card.Card{Title: s, Fallback: s, Tone: card.Alarm, Request: "abc234"}
	whole := card.Text{{Typed: s}, {Strong: s}, {Code: s}, {Plain: " at "}, {Time: keptAt}, {Link: card.Link{Label: s, URL: "javascript:alert(1)"}}}
	for range 40 {
		c.Lines = append(c.Lines, whole)
		c.Facts = append(c.Facts, card.Fact{Label: s, Value: card.Typed(s)})
		c.Steps = append(c.Steps, card.Step{What: card.Typed(s), At: keptAt})
	}
	c.Buttons = []card.Button{{Label: s, Act: card.Approve, Request: "abc234", Confirm: &card.Confirm{Text: s, Yes: s}}, {Label: s, Act: card.Open, URL: "javascript:x"}}
	return c
}

func TestEveryCardFitsIntoTeams(t *testing.T) {
	t.Parallel()
	for name, c := range everyCard(t) {
		raw, err := json.Marshal(c)
		if err != nil || len(raw) > maxCard {
			t.Errorf("%s has %d bytes, %v", name, len(raw), err)
		}
	}
}

// Words of people stand where no client looks into them: never in a TextBlock,
// which is Markdown, and without the functions that some clients carry out.
func TestWordsOfPeopleStayInert(t *testing.T) {
	t.Parallel()
	for name, text := range hostile() {
		drawn := drawnAs(t, drawing{now: keptAt, shared: true}, hostileCard(text), nil)
		each(drawn, func(e map[string]any) {
			said, _ := e["text"].(string)
			if e["type"] == "TextBlock" && strings.ContainsAny(strings.ReplaceAll(strings.ReplaceAll(said, "{{DATE(", ""), "{{TIME(", ""), "*_[]`~") {
				t.Errorf("%s: Markdown in %q", name, said)
			}
			if e["type"] == "TextRun" && strings.Contains(said, "{{") {
				t.Errorf("%s: a function in %q", name, said)
			}
			if address, _ := e["url"].(string); strings.HasPrefix(address, "javascript") {
				t.Errorf("%s: leads to %q", name, address)
			}
		})
	}
}

// each visits every object of a card.
func each(e element, visit func(map[string]any)) {
	raw, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		panic(err)
	}
	eachIn(tree, visit)
}

func eachIn(tree any, visit func(map[string]any)) {
	switch v := tree.(type) {
	case map[string]any:
		visit(v)
		for _, member := range v {
			eachIn(member, visit)
		}
	case []any:
		for _, member := range v {
			eachIn(member, visit)
		}
	}
}

func titles(e element) (all []string) {
	each(e, func(o map[string]any) {
		if kind, _ := o["type"].(string); strings.HasPrefix(kind, "Action.") && kind != "Action.Submit" {
			if title, ok := o["title"].(string); ok {
				all = append(all, title)
			}
		}
	})
	slices.Sort(all)
	return slices.Compact(all)
}

// pending is a card as the workflow draws it for approvers.
func pending() card.Card {
	return card.Card{
		Title: "MDE Administrator for Alice Example?", Tone: card.Waiting, Request: "abc234", Fallback: "Alice asks.",
		Buttons: []card.Button{
			{Label: "Approve", Act: card.Approve, Style: card.Primary, Request: "abc234", Digest: "d1", Confirm: &card.Confirm{Title: "Approve?", Text: "Alice gets it.", Yes: "Approve", No: "Back"}},
			{Label: "Approve with reason…", Act: card.ApproveWithReason, Request: "abc234", Digest: "d1"},
			{Label: "Deny…", Act: card.Deny, Style: card.Danger, Request: "abc234", Digest: "d1"},
		},
	}
}

func TestACardThatManySeeHasTheButtonsOfNobody(t *testing.T) {
	t.Parallel()
	shared := drawnAs(t, drawing{now: keptAt, shared: true}, pending(), []string{"29:bob"})
	if got := titles(shared); !slices.Equal(got, []string{"Refresh"}) {
		t.Errorf("buttons for everybody: %q", got)
	}
	refresh, _ := shared["refresh"].(element)
	if ids, _ := refresh["userIds"].([]string); !slices.Equal(ids, []string{"29:bob"}) {
		t.Errorf("views of their own: %v", refresh)
	}
	mine := drawnAs(t, drawing{now: keptAt}, pending(), nil)
	if got := titles(mine); !slices.Equal(got, []string{"Approve", "Deny", "Deny…"}) {
		t.Errorf("an approver's buttons: %q", got)
	}
	if mine["refresh"] != nil {
		t.Error("a card for one person has views")
	}
}

// Whoever may review is judged when they press it, so it is there for everybody.
func TestACardThatManySeeHasTheButtonOfAReview(t *testing.T) {
	t.Parallel()
	c := pending()
	c.Buttons = []card.Button{{Label: "Review…", Act: card.Review, Request: "abc234", Digest: "d1"}}
	shared := drawnAs(t, drawing{now: keptAt, shared: true}, c, nil)
	if got := titles(shared); !slices.Equal(got, []string{"Close the review", "Review…"}) {
		t.Errorf("buttons for everybody: %q", got)
	}
	each(shared, func(o map[string]any) {
		if o["type"] == "Input.Text" && (o["label"] != "Note" || o["isRequired"] != true) {
			t.Errorf("the field is %v", o)
		}
	})
}

func TestNoMoreThanSixtyHaveAViewOfTheirOwn(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("29:%d", i))
	}
	refresh, _ := drawnAs(t, drawing{now: keptAt, shared: true}, pending(), many)["refresh"].(element)
	if ids, _ := refresh["userIds"].([]string); len(ids) != maxViews {
		t.Errorf("%d have one", len(ids))
	}
}

func TestNobodyDecidesOnACardThatWasShortened(t *testing.T) {
	t.Parallel()
	c := pending()
	for range 60 {
		c.Lines = append(c.Lines, card.Typed(strings.Repeat("why ", 250)))
	}
	drawn := drawnAs(t, drawing{now: keptAt}, c, nil)
	if got := titles(drawn); len(got) > 0 {
		t.Errorf("it has %q", got)
	}
	if raw, _ := json.Marshal(drawn); !strings.Contains(string(raw), "cannot be decided here") {
		t.Errorf("it does not say why: %s", raw)
	}
	shared := drawnAs(t, drawing{now: keptAt, shared: true}, c, []string{"29:bob"})
	if got := titles(shared); !slices.Equal(got, []string{"Refresh"}) {
		t.Errorf("what everybody sees has %q", got)
	}
}

// A list goes as a whole, with its buttons: nobody decides on half a line.
func TestAnAnswerThatIsTooLongLosesWholeLists(t *testing.T) {
	t.Parallel()
	row := card.Row{Text: card.Typed(strings.Repeat("why ", 250)), Buttons: pending().Buttons}
	c := card.Card{Title: "Your requests", Lines: []card.Text{card.Plain("You have no requests.")}, Fallback: "You have no requests."}
	for _, title := range []string{"Waiting for you", "Your roles", "Elevated now"} {
		c.Sections = append(c.Sections, card.Section{Title: title, Rows: []card.Row{row, row, row, row, row}})
	}
	drawn := drawnAs(t, drawing{now: keptAt}, c, nil)
	raw, err := json.Marshal(drawn)
	if err != nil || len(raw) > maxCard {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	said := string(raw)
	if !strings.Contains(said, "Waiting for you") || strings.Contains(said, "Elevated now") || !strings.Contains(said, "Not everything fits here") {
		t.Errorf("it says %s", card.Cut(said, 5000))
	}
	ids := map[any]bool{}
	each(drawn, func(o map[string]any) {
		if o["type"] == "Input.Text" && ids[o["id"]] {
			t.Errorf("two fields are called %v", o["id"])
		}
		if o["type"] == "Input.Text" {
			ids[o["id"]] = true
		}
	})
	if len(ids)%10 != 0 || len(ids) == 0 { // two for each row
		t.Errorf("%d fields for the reasons", len(ids))
	}
	if got := titles(drawnAs(t, drawing{now: keptAt, shared: true}, card.Card{Title: "x", Sections: c.Sections[:1]}, nil)); len(got) != 0 {
		t.Errorf("where others see it, there is %q", got)
	}
}

// What a button of the older kind carries is the same, so an old client does the same.
func TestOldClientsGetTheSameButtons(t *testing.T) {
	t.Parallel()
	each(drawnAs(t, drawing{now: keptAt}, pending(), nil), func(o map[string]any) {
		if o["type"] != "Action.Execute" {
			return
		}
		fallback, _ := o["fallback"].(map[string]any)
		if fallback["type"] != "Action.Submit" || fmt.Sprint(fallback["data"]) != fmt.Sprint(o["data"]) {
			t.Errorf("%v falls back to %v", o["data"], fallback)
		}
	})
}

func TestWhatComesBackIsReadAsWordsOnly(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"nothing": ``, "a number": `7`, "a list": `["a"]`, "numbers inside": `{"a":1,"r":{"x":2},"i":["y"]}`, "deep": strings.Repeat(`{"a":`, 60) + `1` + strings.Repeat(`}`, 60),
	} {
		if f := readFilled(json.RawMessage(raw)); f.Act != "" || f.Request != "" || f.reason() != "" {
			t.Errorf("%s is read as %+v", name, f)
		}
	}
	f := readFilled(json.RawMessage(`{"a":"deny","r":" ABC234 ","d":"x","i":"reason.2","reason.2":"no","k":"card"}`))
	if f.Act != card.Deny || f.Request != pim.ParseRequestID("abc234") || f.reason() != "no" || !f.OfCard {
		t.Errorf("read as %+v", f)
	}
}

func TestMicrosoftsLibraryTakesEveryCard(t *testing.T) {
	if os.Getenv("ELEVATE_NPM") != "1" {
		t.Skip("asks an npm package; set ELEVATE_NPM=1, with node installed and npm ci run in testdata/npm, to run it")
	}
	raw, err := json.Marshal(everyCard(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cards.json")
	if kept := os.Getenv("ELEVATE_CARDS"); kept != "" {
		path = kept
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), "node", "lint.mjs", path)
	check.Dir = "testdata/npm"
	out, err := check.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

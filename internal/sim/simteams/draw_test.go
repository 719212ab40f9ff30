package simteams_test

import (
	"testing"

	"elevate/internal/sim/simteams"
)

func TestTypedTextIsLiveOnlyWhereClientsMakeItSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hostile := `**bold** [click](https://evil.example) {{TIME(2026-03-02T20:00:00Z)}}`
	w.posts(t, w.dm(t, "dan"), message(card(
		block(hostile),
		block(`\*\*bold\*\* \[click\](https://evil.example)`),
		map[string]any{"type": "RichTextBlock", "inlines": []any{map[string]any{"type": "TextRun", "text": hostile}}},
	)))
	contains(t, w.sees(t, "dan"),
		"bold click (https://evil.example) 9:00 PM\n",
		"**bold** [click](https://evil.example)\n"+hostile)
	shown, err := w.Sees("dan", 0)
	if err != nil || len(shown) != 1 || len(shown[0].Links) != 1 {
		t.Errorf("%+v %v", shown, err)
	}
}

func TestAMentionIsLiveOnlyWithItsEntity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := card(block("<at>Bob</at> and <at>Carol</at>"))
	c["msteams"] = map[string]any{"entities": []any{map[string]any{"type": "mention", "text": "<at>Bob</at>", "mentioned": map[string]any{"id": "x", "name": "Bob"}}}}
	w.posts(t, w.dm(t, "alice"), message(c))
	contains(t, w.sees(t, "alice"), "@Bob and <at>Carol</at>")
}

func TestWhatNoClientShowsNobodySees(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hidden := plain("never seen")
	hidden["suggestedActions"] = map[string]any{}
	w.posts(t, w.dm(t, "alice"), hidden)
	lacks(t, w.sees(t, "alice"), "never seen")
	newer := card(block("x"))
	newer["version"], newer["fallbackText"] = "1.6", "Your Teams is too old."
	w.posts(t, w.dm(t, "alice"), message(newer))
	contains(t, w.sees(t, "alice"), "(fallback) Your Teams is too old.")
	if found := w.Findings(); len(found) != 2 {
		t.Errorf("%v", found)
	}
}

func TestFactsColumnsAndImagesAreDrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.posts(t, w.dm(t, "alice"), message(card(
		map[string]any{"type": "TextBlock", "text": "Request", "style": "heading"},
		map[string]any{"type": "FactSet", "facts": []any{map[string]any{"title": "Role", "value": "MDE **Administrator**"}}},
		map[string]any{"type": "ColumnSet", "columns": []any{
			map[string]any{"type": "Column", "items": []any{block("left")}}, map[string]any{"type": "Column", "items": []any{block("right")}},
		}},
		map[string]any{"type": "Container", "items": []any{block("inside"), map[string]any{"type": "TextBlock", "text": "out of sight", "isVisible": false}}},
		map[string]any{"type": "Image", "altText": "a shield", "url": "https://x.example/s.png"},
		set(map[string]any{"type": "Action.OpenUrl", "title": "Open", "url": "https://portal.example/"}),
	)))
	seen := w.sees(t, "alice")
	contains(t, seen, "# Request\n  Role: MDE Administrator\nleft | right\ninside\n(image: a shield)\n[Open](https://portal.example/)")
	lacks(t, seen, "out of sight")
	if done, err := w.Click(t.Context(), "alice", simteams.Press{Button: "Open"}); err != nil || done.URL != "https://portal.example/" || done.Sent {
		t.Errorf("%+v %v", done, err)
	}
}

func TestCardsAreCheckedForWhatClientsDoNotUnderstand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]map[string]any{
		"an unknown element":      card(map[string]any{"type": "Blink"}),
		"an input without id":     card(map[string]any{"type": "Input.Text", "label": "x"}),
		"an id given twice":       card(map[string]any{"type": "Input.Text", "id": "x"}, map[string]any{"type": "Input.Text", "id": "x"}),
		"a choice without any":    card(map[string]any{"type": "Input.ChoiceSet", "id": "x"}),
		"required without label":  card(map[string]any{"type": "Input.Text", "id": "x", "isRequired": true}),
		"an unknown action":       card(set(map[string]any{"type": "Action.Explode", "title": "x"})),
		"a button without title":  card(set(map[string]any{"type": "Action.Submit"})),
		"a link to nowhere":       card(set(map[string]any{"type": "Action.OpenUrl", "title": "x", "url": "javascript:x"})),
		"data that is no object":  card(set(map[string]any{"type": "Action.Execute", "title": "x", "data": "y"})),
		"a button without a card": card(set(map[string]any{"type": "Action.ShowCard", "title": "x"})),
		"an empty text":           card(block("")),
		"empty rich text":         card(map[string]any{"type": "RichTextBlock", "inlines": []any{}}),
		"seven buttons":           card(set(sevenButtons()...)),
	} {
		if found := simteams.CheckCard(c); len(found) != 1 {
			t.Errorf("%s: %v", name, found)
		}
	}
	if found := simteams.CheckCard(card(block("x"), set(execute("Go", "go", map[string]any{})))); len(found) > 0 {
		t.Errorf("a good card: %v", found)
	}
}

func sevenButtons() []any {
	var all []any
	for range 7 {
		all = append(all, execute("x", "x", nil))
	}
	return all
}

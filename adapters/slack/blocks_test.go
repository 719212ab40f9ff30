package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"elevate/adapters/slack"
	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/sim/simslack"
)

// epoch is when a synctest bubble begins, so golden cards always have the same now.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// posted is a card as it reached Slack.
func (b *bench) posted(t rapid.TB, c card.Card) (blocks []any, text string) {
	t.Helper()
	before := len(b.api.to("chat.postMessage"))
	if _, err := b.client.Post(context.Background(), general, c); err != nil {
		t.Fatal(err)
	}
	args := b.api.to("chat.postMessage")[before].args
	if err := json.Unmarshal([]byte(args.Get("blocks")), &blocks); err != nil {
		t.Fatal(err)
	}
	return blocks, args.Get("text")
}

func cards() map[string]card.Card {
	bob := pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: "U0BOB"}
	carol := pim.ChatAccount{Chat: pim.Teams, Workspace: "tenant", User: "carol"}
	pending := card.Card{
		Title: "MDE Administrator for Alice Example?", Tone: card.Waiting, Request: "abc234", Mention: []pim.ChatAccount{bob, carol},
		Fallback: "Alice Example asks for MDE Administrator, 1 h: isolating WS-042.",
		Lines:    []card.Text{{{Account: aliceAccount}, {Plain: " asks for "}, {Strong: "MDE Administrator"}, {Plain: "."}}},
		Facts: []card.Fact{
			{Label: "Requester", Value: card.Typed("Alice Example")},
			{Label: "Gives", Value: card.Plain("Microsoft Defender for Endpoint administrator")},
			{Label: "Why", Value: card.Typed("isolating WS-042")},
			{Label: "How long", Value: card.Join(card.Plain("1 h, until "), card.At(epoch.Add(time.Hour)))},
			{Label: "Ticket", Value: card.Typed("INC-1234")},
			{Label: "Last had", Value: card.At(epoch.Add(-72 * time.Hour))},
			{Label: "Others", Value: nil},
		},
		Steps: []card.Step{{What: card.Plain("asked"), At: epoch}},
		Buttons: []card.Button{
			{
				Label: "Approve", Act: card.Approve, Style: card.Primary, Request: "abc234", Digest: "0123456789abcdef",
				Confirm: &card.Confirm{Title: "Approve?", Text: "Alice Example becomes MDE Administrator for 1 h.", Yes: "Approve", No: "Back"},
			},
			{Label: "Deny", Act: card.Deny, Style: card.Danger, Request: "abc234", Digest: "0123456789abcdef"},
			{Label: "Open in PIM", Act: card.Open, URL: "https://portal.azure.com/?a=b&c=d"},
		},
		Notes: []card.Text{{{Plain: "Request "}, {Code: "abc234"}}, {{Link: card.Link{Label: "How this works", URL: "https://example.com/a?b&c"}}}},
	}
	active := card.Card{
		Title: "Alice Example is MDE Administrator", Tone: card.Good, Request: "abc234", Fallback: "Alice Example is MDE Administrator until 01:00.",
		Steps: []card.Step{
			{What: card.Plain("asked"), At: epoch},
			{What: card.Join(card.Plain("approved by "), card.Typed("Bob Example")), At: epoch.Add(3 * time.Minute)},
			{What: card.Plain("member since, read back"), At: epoch.Add(3*time.Minute + 11*time.Second)},
			{What: card.Plain("will be removed")},
		},
		Buttons: []card.Button{{Label: "Release", Act: card.Release, Request: "abc234"}},
	}
	hostile := card.Card{
		Title: "Request <!channel> *x* :smile:", Tone: card.Bad, Fallback: "Mallory <!channel> asks: *x* :smile: <https://evil.example|x> &",
		Lines: []card.Text{card.Typed(hostileWords), {{Typed: hostileWords}, {Plain: " at "}, {Time: epoch}}},
		Facts: []card.Fact{{Label: "Why", Value: card.Typed(hostileWords)}},
		Steps: []card.Step{{What: card.Join(card.Plain("denied: "), card.Typed("no\n\u2022 approved by Bob")), At: epoch}},
	}
	board := card.Board{Now: epoch, Alarms: 1, Rows: []card.WhoRow{{Role: pim.Role{Title: "MDE Administrator"}, Holders: []card.Holder{
		{Name: "Alice Example", Until: epoch.Add(42 * time.Minute)}, {Name: hostileWords},
	}}}}
	return map[string]card.Card{
		"board": card.WhoBoard(board), "pending": pending, "active": active, "hostile": hostile, "sentence": {Lines: []card.Text{card.Plain("Nothing was asked for.")}, Fallback: "Nothing was asked for."},
		"alarm": {Title: "The end was not confirmed", Tone: card.Alarm, Fallback: "The end was not confirmed.", Lines: []card.Text{{{Account: carol}, {Plain: " still has access."}}}},
	}
}

const hostileWords = "<!channel> <@U0BOB> <https://evil.example|Approve> *bold* _it_ ~no~ `code` :smile: \n> quote &amp; \u202Etxet\u202C zero\u200Bwidth \u05E9\u05DC\u05D5\u05DD snake_case 12:30 https://evil.example"

func TestCardsLookAsTheyDid(t *testing.T) {
	for name, c := range cards() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				blocks, text := b.posted(t, c)
				if bad := simslack.CheckBlocks(blocks); len(bad) > 0 {
					t.Errorf("Slack would refuse it: %q", bad)
				}
				golden(t, name, object{"text": text, "blocks": blocks})
			})
		})
	}
}

func TestGoldenCardsAreAllOurs(t *testing.T) {
	known := cards()
	files, err := os.ReadDir("testdata/blocks")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".json")
		if _, ok := known[name]; !ok && !strings.HasPrefix(name, "home") && name != "form-ask" {
			t.Errorf("%s belongs to no test", f.Name())
		}
	}
}

func TestSandboxMarksEverything(t *testing.T) {
	b := newBench(t, func(cfg *slack.Config, _ *slack.HandlerConfig) { cfg.Sandbox = true })
	for name, c := range cards() {
		blocks, text := b.posted(t, c)
		if raw, _ := json.Marshal(blocks); !strings.Contains(string(raw), "SANDBOX") || !strings.HasPrefix(text, "SANDBOX") {
			t.Errorf("%s is not marked: %s %s", name, text, raw)
		}
	}
	view := b.opened(t, askForm())
	if raw, _ := json.Marshal(view); !strings.Contains(string(raw), "SANDBOX") {
		t.Errorf("the form is not marked: %s", raw)
	}
}

func TestTypedWordsStayInert(t *testing.T) {
	// Each word alone, in every place where a card shows what was typed.
	for typed, want := range map[string]string{
		"<!channel>":                  "&lt;!channel&gt;",
		"<@U0BOB>":                    "&lt;@U0BOB&gt;",
		"<https://evil.example|x>":    "&lt;https://evil.example|x&gt;",
		"*bold*":                      "\u2217bold\u2217",
		"_it_":                        "\u02CDit\u02CD",
		"snake_case":                  "snake_case",
		"~no~":                        "\u223Cno\u223C",
		"`code`":                      "\u02CBcode\u02CB",
		":smile:":                     "\u2236smile:",
		"::smile::":                   ":\u2236smile::",
		"a:b:c":                       "a\u2236b:c",
		"at 12:30, sharp":             "at 12:30, sharp",
		"> quote":                     "\u203A quote",
		">>> quote":                   "\u203A\u203A\u203A quote",
		"a\n> b":                      "a &gt; b",
		"a\r\n\t b":                   "a b",
		"zero\u200Bwi\u2060dth\uFEFF": "zerowidth",
		"\u202Etxet\u202C\u2066x":     "txetx",
		"\U000E0041tag":               "tag",
		"\u3164\u115Fblank":           "blank",
		"\u05E9\u05DC\u05D5\u05DD":    "\u2068\u05E9\u05DC\u05D5\u05DD\u2069",
		"\xff\xfebytes":               "bytes",
		"a" + strings.Repeat("\u0301", 300) + "b": "a" + strings.Repeat("\u0301", 4) + "b",
		"\u0000null":        "null",
		"&amp; & &lt;":      "&amp;amp; &amp; &amp;lt;",
		"\u26A0\uFE0F sign": "\u26A0\uFE0F sign",
	} {
		b := newBench(t, nil)
		live := card.Join(card.Typed(typed), card.At(epoch))
		blocks, text := b.posted(t, card.Card{Fallback: typed, Lines: []card.Text{live}, Facts: []card.Fact{{Label: "L", Value: card.Typed(typed)}}})
		if text != want {
			t.Errorf("%q in the notification: %q, want %q", typed, text, want)
		}
		texts := textsOf(blocks)
		if !strings.HasPrefix(texts[0], want+"<!date^") || texts[1] != "*L*\n"+want {
			t.Errorf("%q in blocks: %q, want %q", typed, texts, want)
		}
	}
}

// textsOf lists the texts of all text objects, in order.
func textsOf(v any) []string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, textsOf(e)...)
		}
		return all
	case object:
		if s, ok := v["text"].(string); ok {
			return []string{s}
		}
		return slices.Concat(textsOf(v["text"]), textsOf(v["fields"]), textsOf(v["elements"]))
	}
	return nil
}

func TestWordsWithoutMarkupAreNotLookedInto(t *testing.T) {
	b := newBench(t, nil)
	blocks, _ := b.posted(t, card.Card{Lines: []card.Text{card.Join(card.Plain("He said: "), card.Typed(hostileWords))}})
	o, _ := blocks[0].(object)["text"].(object)
	if o["type"] != "plain_text" || o["emoji"] != false || !strings.Contains(o["text"].(string), "<!channel>") {
		t.Errorf("drawn as %v", o)
	}
}

func TestOnlyAccountsOfThisWorkspaceAreMentioned(t *testing.T) {
	for name, a := range map[string]pim.ChatAccount{
		"of Teams":              {Chat: pim.Teams, Workspace: team, User: alice},
		"of another workspace":  {Chat: pim.Slack, Workspace: "T0OTHER", User: alice},
		"that is a group":       {Chat: pim.Slack, Workspace: team, User: "S0GROUP"},
		"that is no user id":    {Chat: pim.Slack, Workspace: team, User: "U0X> <!channel"},
		"that is a single sign": {Chat: pim.Slack, Workspace: team, User: "U"},
	} {
		b := newBench(t, nil)
		blocks, _ := b.posted(t, card.Card{Title: "x", Mention: []pim.ChatAccount{a}, Lines: []card.Text{{{Account: a}}}})
		if raw := fmt.Sprint(blocks); strings.Contains(raw, "<") {
			t.Errorf("an account %s is mentioned: %s", name, raw)
		}
	}
}

func TestLinksThatAreNone(t *testing.T) {
	for _, address := range []string{"", "javascript:alert(1)", "//example.com", "https://", "data:text/html,x", "https://example.com/" + strings.Repeat("x", 3000)} {
		b := newBench(t, nil)
		c := card.Card{
			Lines:   []card.Text{{{Plain: "See "}, {Link: card.Link{Label: "here", URL: address}}}},
			Buttons: []card.Button{{Label: "Open", Act: card.Open, URL: address}},
		}
		if blocks, _ := b.posted(t, c); len(blocks) != 1 || strings.Contains(fmt.Sprint(blocks), "<") {
			t.Errorf("%.40q is drawn: %v", address, blocks)
		}
	}
}

func TestDayIsSaidWhenItIsNotNear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		for away, want := range map[time.Duration]string{
			time.Hour:        "<!date^946688400^{time}|01:00 UTC>",
			-100 * time.Hour: "<!date^946324800^{date_short_pretty} {time}|1999-12-27 20:00 UTC>",
		} {
			if blocks, _ := b.posted(t, card.Card{Lines: []card.Text{card.At(epoch.Add(away))}}); textsOf(blocks)[0] != want {
				t.Errorf("drawn as %q, want %q", textsOf(blocks), want)
			}
		}
	})
}

// anyText draws texts with everything in them that is dangerous or long.
func anyText(most int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		piece := rapid.OneOf(
			rapid.StringN(0, 20, -1),
			rapid.SampledFrom([]string{"<!channel>", "<@U0BOB>", "&", "<", ">", "*b*", "`", ":smile:", "\n", "\u202E", "\u05E9", "\U0001F600", "_", "|", "\xff", ""}),
		)
		return strings.Repeat(strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "pieces"), ""), rapid.IntRange(0, most).Draw(t, "times"))
	})
}

func anySpan() *rapid.Generator[card.Span] {
	return rapid.Custom(func(t *rapid.T) card.Span {
		s := anyText(200).Draw(t, "text")
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return card.Span{Plain: s}
		case 1:
			return card.Span{Strong: s}
		case 2:
			return card.Span{Code: s}
		case 3:
			return card.Span{Time: epoch.Add(time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "time")))}
		case 4:
			return card.Span{Account: pim.ChatAccount{Chat: pim.Slack, Workspace: team, User: rapid.SampledFrom([]string{alice, s, ""}).Draw(t, "user")}}
		case 5:
			return card.Span{Link: card.Link{Label: s, URL: "https://example.com/" + rapid.SampledFrom([]string{"", "?a=b&c=<d>|e", s}).Draw(t, "path")}}
		}
		return card.Span{Typed: s}
	})
}

func anyTexts() *rapid.Generator[[]card.Text] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) card.Text { return rapid.SliceOfN(anySpan(), 0, 4).Draw(t, "spans") }), 0, 14)
}

func anyCard() *rapid.Generator[card.Card] {
	return rapid.Custom(func(t *rapid.T) card.Card {
		c := card.Card{
			Title: anyText(20).Draw(t, "title"), Fallback: anyText(500).Draw(t, "fallback"), Lines: anyTexts().Draw(t, "lines"), Notes: anyTexts().Draw(t, "notes"),
			Tone: rapid.SampledFrom([]card.Tone{card.Neutral, card.Waiting, card.Good, card.Bad, card.Alarm, ""}).Draw(t, "tone"),
		}
		for _, v := range anyTexts().Draw(t, "facts") {
			c.Facts = append(c.Facts, card.Fact{Label: anyText(10).Draw(t, "label"), Value: v})
		}
		for _, v := range anyTexts().Draw(t, "steps") {
			c.Steps = append(c.Steps, card.Step{What: v, At: epoch})
		}
		for range rapid.IntRange(0, 3).Draw(t, "more") {
			c.Lines, c.Facts, c.Steps = append(c.Lines, c.Lines...), append(c.Facts, c.Facts...), append(c.Steps, c.Steps...)
		}
		for range rapid.IntRange(0, 30).Draw(t, "buttons") {
			c.Buttons = append(c.Buttons, anyButton().Draw(t, "button"))
		}
		return c
	})
}

func anyButton() *rapid.Generator[card.Button] {
	return rapid.Custom(func(t *rapid.T) card.Button {
		s := anyText(50).Draw(t, "words")
		b := card.Button{
			Label: s, Act: rapid.SampledFrom([]card.Act{card.Approve, card.Open, card.SignIn, card.Act(s)}).Draw(t, "act"), Digest: s, Role: s, URL: "https://example.com/" + s,
			Style: rapid.SampledFrom([]card.Style{card.Default, card.Primary, card.Danger, "odd"}).Draw(t, "style"),
		}
		if rapid.Bool().Draw(t, "confirm") {
			b.Confirm = &card.Confirm{Title: s, Text: s, Yes: s, No: s}
		}
		return b
	})
}

func TestAnyCardIsWithinSlacksLimits(t *testing.T) {
	now := machineTime()
	b := newBench(t, func(cfg *slack.Config, _ *slack.HandlerConfig) {
		cfg.Sandbox = true
		cfg.Now = func() time.Time { // a channel takes no more in a second
			now = now.Add(time.Second)
			return now
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		blocks, text := b.posted(t, anyCard().Draw(t, "card"))
		if bad := simslack.CheckBlocks(blocks); len(bad) > 0 {
			t.Fatalf("Slack would refuse it: %q", bad)
		}
		if n := utf8.RuneCountInString(text); n == 0 || n >= 4000 {
			t.Fatalf("the notification has %d characters", n)
		}
		checkInert(t, blocks)
	})
}

// checkInert looks at every text that Slack looks into: whatever is in angle
// brackets has to be one of our own tokens, and no direction is turned.
func checkInert(t *rapid.T, v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			checkInert(t, e)
		}
	case object:
		if s, ok := v["text"].(string); ok {
			checkWords(t, s, v["type"] == "mrkdwn")
		}
		for _, e := range v {
			checkInert(t, e)
		}
	}
}

func checkWords(t *rapid.T, s string, mrkdwn bool) {
	if !utf8.ValidString(s) {
		t.Fatalf("%q is cut inside a character", s)
	}
	for mrkdwn {
		_, rest, found := strings.Cut(s, "<")
		if !found {
			break
		}
		token, after, closed := strings.Cut(rest, ">")
		ours := strings.HasPrefix(token, "!date^") || token == "@"+alice || strings.HasPrefix(token, "https://example.com/")
		if !closed || !ours || strings.Contains(token, "<") {
			t.Fatalf("%q is live", token)
		}
		s = after
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) && r != '\u2068' && r != '\u2069' }) {
		t.Fatalf("%q turns its direction", s)
	}
}

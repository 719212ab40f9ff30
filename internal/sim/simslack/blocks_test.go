package simslack_test

import (
	"maps"
	"strings"
	"testing"

	"elevate/internal/sim/simslack"
)

func plain(n int) args { return args{"type": "plain_text", "text": strings.Repeat("é", n)} }

func mrkdwn(n int) args { return args{"type": "mrkdwn", "text": strings.Repeat("é", n)} }

func repeat(n int, item func(i int) any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = item(i)
	}
	return list
}

func button(with args) args {
	b := args{"type": "button", "text": plain(1)}
	maps.Copy(b, with)
	return b
}

func actions(elements ...any) args { return args{"type": "actions", "elements": elements} }

func inSection(accessory args) args {
	return args{"type": "section", "text": plain(1), "accessory": accessory}
}

func confirm(title, text, yes int) args {
	return button(args{"confirm": args{"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain(1)}})
}

func choice(n int) func(int) any {
	return func(int) any { return args{"text": plain(n), "value": "v"} }
}

// limits are the limits of Block Kit: what just fits, and what is one too much.
var limits = []struct {
	name        string
	fits, above args
	want        string
}{
	{"header", args{"type": "header", "text": plain(150)}, args{"type": "header", "text": plain(151)}, "must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
	{"section", args{"type": "section", "text": mrkdwn(3000)}, args{"type": "section", "text": mrkdwn(3001)}, "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
	{"empty text", args{"type": "section", "text": mrkdwn(1)}, args{"type": "section", "text": mrkdwn(0)}, "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
	{
		"fields",
		args{"type": "section", "fields": repeat(10, func(int) any { return mrkdwn(1) })},
		args{"type": "section", "fields": repeat(11, func(int) any { return mrkdwn(1) })},
		"no more than 10 items allowed [json-pointer:/blocks/0/fields]",
	},
	{
		"field",
		args{"type": "section", "fields": []any{mrkdwn(2000)}},
		args{"type": "section", "fields": []any{mrkdwn(2001)}},
		"must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]",
	},
	{
		"context",
		args{"type": "context", "elements": repeat(10, func(int) any { return mrkdwn(1) })},
		args{"type": "context", "elements": repeat(11, func(int) any { return mrkdwn(1) })},
		"no more than 10 items allowed [json-pointer:/blocks/0/elements]",
	},
	{
		"actions", actions(repeat(25, func(int) any { return button(nil) })...), actions(repeat(26, func(int) any { return button(nil) })...),
		"no more than 25 items allowed [json-pointer:/blocks/0/elements]",
	},
	{"button text", actions(button(args{"text": plain(75)})), actions(button(args{"text": plain(76)})), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
	{
		"button value", actions(button(args{"value": strings.Repeat("v", 2000)})), actions(button(args{"value": strings.Repeat("v", 2001)})),
		"must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
	},
	{
		"button url", actions(button(args{"url": strings.Repeat("u", 3000)})), actions(button(args{"url": strings.Repeat("u", 3001)})),
		"must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]",
	},
	{
		"action id", actions(button(args{"action_id": strings.Repeat("a", 255)})), actions(button(args{"action_id": strings.Repeat("a", 256)})),
		"must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]",
	},
	{
		"block id",
		args{"type": "divider", "block_id": strings.Repeat("a", 255)},
		args{"type": "divider", "block_id": strings.Repeat("a", 256)},
		"must be less than 256 characters [json-pointer:/blocks/0/block_id]",
	},
	{"confirm title", actions(confirm(100, 1, 1)), actions(confirm(101, 1, 1)), "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"},
	{"confirm text", actions(confirm(1, 300, 1)), actions(confirm(1, 301, 1)), "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]"},
	{"confirm button", actions(confirm(1, 1, 30)), actions(confirm(1, 1, 31)), "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]"},
	{
		"options", inSection(args{"type": "static_select", "options": repeat(100, choice(1))}), inSection(args{"type": "static_select", "options": repeat(101, choice(1))}),
		"no more than 100 items allowed [json-pointer:/blocks/0/accessory/options]",
	},
	{
		"option text", inSection(args{"type": "static_select", "options": repeat(1, choice(75))}), inSection(args{"type": "static_select", "options": repeat(1, choice(76))}),
		"must be less than 76 characters [json-pointer:/blocks/0/accessory/options/0/text/text]",
	},
	{
		"overflow", inSection(args{"type": "overflow", "options": repeat(5, choice(1))}), inSection(args{"type": "overflow", "options": repeat(6, choice(1))}),
		"no more than 5 items allowed [json-pointer:/blocks/0/accessory/options]",
	},
	{
		"radio buttons", inSection(args{"type": "radio_buttons", "options": repeat(10, choice(1))}), inSection(args{"type": "radio_buttons", "options": repeat(11, choice(1))}),
		"no more than 10 items allowed [json-pointer:/blocks/0/accessory/options]",
	},
	{
		"placeholder", inSection(args{"type": "static_select", "placeholder": plain(150), "options": repeat(1, choice(1))}),
		inSection(args{"type": "static_select", "placeholder": plain(151), "options": repeat(1, choice(1))}),
		"must be less than 151 characters [json-pointer:/blocks/0/accessory/placeholder/text]",
	},
	{
		"table rows",
		args{"type": "table", "rows": repeat(100, row(20))},
		args{"type": "table", "rows": repeat(101, row(1))},
		"no more than 100 items allowed [json-pointer:/blocks/0/rows]",
	},
	{"table cells", args{"type": "table", "rows": repeat(1, row(20))}, args{"type": "table", "rows": repeat(1, row(21))}, "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"},
	{
		"markdown",
		args{"type": "markdown", "text": strings.Repeat("m", 12000)},
		args{"type": "markdown", "text": strings.Repeat("m", 12001)},
		"markdown blocks must be less than 12001 characters together [json-pointer:/blocks]",
	},
	{"mrkdwn in a header", args{"type": "header", "text": plain(1)}, args{"type": "header", "text": mrkdwn(1)}, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"},
	{"unknown block", args{"type": "divider"}, args{"type": "banner"}, "unsupported type: banner [json-pointer:/blocks/0/type]"},
	{"unknown field", args{"type": "divider"}, args{"type": "divider", "colour": "red"}, "invalid additional property: colour [json-pointer:/blocks/0]"},
	{"missing text", actions(button(nil)), actions(args{"type": "button"}), "missing required field: text [json-pointer:/blocks/0/elements/0]"},
	{"empty section", args{"type": "section", "text": plain(1)}, args{"type": "section"}, "missing required field: text or fields [json-pointer:/blocks/0]"},
	{"unknown style", actions(button(args{"style": "danger"})), actions(button(args{"style": "loud"})), "value must be one of [primary danger] [json-pointer:/blocks/0/elements/0/style]"},
	{
		"button in a context block",
		args{"type": "context", "elements": []any{mrkdwn(1)}},
		args{"type": "context", "elements": []any{button(nil)}},
		"unsupported type: button [json-pointer:/blocks/0/elements/0/type]",
	},
	{
		"two elements of one name", actions(button(args{"action_id": "a"}), button(args{"action_id": "b"})), actions(button(args{"action_id": "a"}), button(args{"action_id": "a"})),
		`action_id "a" already exists in this block [json-pointer:/blocks/0]`,
	},
	{"alert in a message", args{"type": "divider"}, args{"type": "alert", "text": plain(1)}, "unsupported type: alert [json-pointer:/blocks/0/type]"},
}

func row(cells int) func(int) any {
	return func(int) any { return repeat(cells, func(int) any { return args{"type": "raw_text", "text": "x"} }) }
}

func TestBlocksAreHeldToTheirLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, limit := range limits {
		if got := w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "blocks": []any{limit.fits}}); !got.OK {
			t.Errorf("%s: what fits was refused: %+v", limit.name, got)
		}
		got := w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "blocks": []any{limit.above}})
		if got.Error != "invalid_blocks" || len(got.Errors) != 1 || got.Errors[0] != limit.want || got.Metadata.Messages[0] != "[ERROR] "+limit.want {
			t.Errorf("%s: %+v", limit.name, got)
		}
	}
}

func TestMessagesAreHeldToTheirLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	divider := func(int) any { return args{"type": "divider"} }
	for _, row := range []struct {
		name   string
		blocks []any
		want   string
	}{
		{"fifty blocks", repeat(50, divider), ""},
		{"fifty-one blocks", repeat(51, divider), "no more than 50 items allowed [json-pointer:/blocks]"},
		{"two tables", repeat(2, func(int) any { return args{"type": "table", "rows": repeat(1, row(1))} }), "only_one_table_allowed [json-pointer:/blocks]"},
		{
			"much markdown", repeat(2, func(int) any { return args{"type": "markdown", "text": strings.Repeat("m", 6001)} }),
			"markdown blocks must be less than 12001 characters together [json-pointer:/blocks]",
		},
		{"one block id twice", repeat(2, func(int) any { return args{"type": "divider", "block_id": "a"} }), `block_id "a" already exists [json-pointer:/blocks/1]`},
	} {
		got := w.call(t, "chat.postMessage", args{"channel": simslack.Approvals, "text": "t", "blocks": row.blocks})
		if got.OK != (row.want == "") || !got.OK && got.Errors[0] != row.want {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
}

func TestViewsAreHeldToTheirLimits(t *testing.T) {
	t.Parallel()
	input := args{"type": "input", "label": plain(1), "element": args{"type": "plain_text_input", "action_id": "a"}}
	with := func(more args) args {
		m := modal()
		maps.Copy(m, more)
		return m
	}
	for _, row := range []struct {
		name string
		view args
		want string
	}{
		{"all that fits", with(args{
			"title": plain(24), "submit": plain(24), "close": plain(24), "private_metadata": strings.Repeat("m", 3000), "callback_id": strings.Repeat("c", 255),
			"blocks": repeat(100, func(int) any { return args{"type": "divider"} }),
		}), ""},
		{"title", with(args{"title": plain(25)}), "must be less than 25 characters [json-pointer:/view/title/text]"},
		{"submit", with(args{"submit": plain(25)}), "must be less than 25 characters [json-pointer:/view/submit/text]"},
		{"close", with(args{"close": plain(25)}), "must be less than 25 characters [json-pointer:/view/close/text]"},
		{"metadata", with(args{"private_metadata": strings.Repeat("m", 3001)}), "must be less than 3001 characters [json-pointer:/view/private_metadata]"},
		{"callback", with(args{"callback_id": strings.Repeat("c", 256)}), "must be less than 256 characters [json-pointer:/view/callback_id]"},
		{"blocks", with(args{"blocks": repeat(101, func(int) any { return args{"type": "divider"} })}), "no more than 100 items allowed [json-pointer:/view/blocks]"},
		{"no title", args{"type": "modal", "blocks": []any{}}, "missing required field: title [json-pointer:/view]"},
		{"an input without submit", with(args{"blocks": []any{input}}), "submit is required when there is an input block [json-pointer:/view]"},
		{"an input with submit", with(args{"blocks": []any{input}, "submit": plain(1)}), ""},
		{"an alert", with(args{"blocks": []any{args{"type": "alert", "text": plain(200)}}}), ""},
		{"a title on the Home tab", args{"type": "home", "title": plain(1), "blocks": []any{}}, "invalid additional property: title [json-pointer:/view]"},
		{"unknown type", args{"type": "window", "blocks": []any{}}, "unsupported type: window [json-pointer:/view/type]"},
	} {
		got := strings.Join(simslack.CheckView(decoded(t, row.view)), "\n")
		if got != row.want {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}

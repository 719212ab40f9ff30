package simslack

import (
	"maps"
	"slices"
	"unicode/utf8"
)

// The limits are those of the reference pages of Block Kit.

const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxMarkdown      = 12_000
)

func plain(most int) check { return textObject(most, "plain_text") }

func anyText(most int) check { return textObject(most, "plain_text", "mrkdwn") }

// textObject wants a text object of one of some types.
func textObject(most int, types ...string) check {
	return byTypeOf(types, func(kind string) check {
		if kind == "plain_text" {
			return shape(fields{"type": anything, "text": characters(1, most), "emoji?": truth})
		}
		return shape(fields{"type": anything, "text": characters(1, most), "verbatim?": truth})
	})
}

func byTypeOf(types []string, of func(kind string) check) check {
	kinds := map[string]check{}
	for _, kind := range types {
		kinds[kind] = of(kind)
	}
	return byType(kinds)
}

var (
	identifier = characters(1, 255)
	confirm    = shape(fields{
		"title": plain(100), "text": anyText(300), "confirm": plain(30), "deny": plain(30), "style?": oneOf("primary", "danger"),
	})
	option = shape(fields{"text": anyText(75), "value": characters(1, 75), "description?": anyText(75), "url?": characters(1, 3000)})
	image  = shape(fields{
		"type": anything, "image_url?": characters(1, 3000), "slack_file?": anything, "alt_text": characters(1, 2000),
		"title?": plain(2000), "block_id?": identifier,
	})
	button = shape(fields{
		"type": anything, "text": plain(75), "action_id?": identifier, "url?": characters(1, 3000), "value?": characters(0, 2000),
		"style?": oneOf("primary", "danger"), "confirm?": confirm, "accessibility_label?": characters(1, 75),
	})
)

// element adds what every interactive element may have.
func element(own fields) check {
	all := fields{"type": anything, "action_id?": identifier}
	maps.Copy(all, own)
	return shape(all)
}

// selects are the elements to choose with.
func selects() map[string]check {
	groups := many(1, 100, shape(fields{"label": plain(75), "options": many(1, 100, option)}))
	common := fields{"placeholder?": plain(150), "confirm?": confirm, "focus_on_load?": truth}
	with := func(own fields) check {
		maps.Copy(own, common)
		return element(own)
	}
	options := fields{"options?": many(1, 100, option), "option_groups?": groups}
	kinds := map[string]check{
		"static_select":       with(merge(options, fields{"initial_option?": option})),
		"multi_static_select": with(merge(options, fields{"initial_options?": many(1, 100, option), "max_selected_items?": number(1, 100)})),
		"external_select":     with(fields{"initial_option?": option, "min_query_length?": number(0, 100)}),
		"users_select":        with(fields{"initial_user?": characters(1, 255)}),
		"conversations_select": with(fields{
			"initial_conversation?": characters(1, 255), "default_to_current_conversation?": truth,
			"response_url_enabled?": truth, "filter?": anything,
		}),
		"channels_select": with(fields{"initial_channel?": characters(1, 255), "response_url_enabled?": truth}),
		"datepicker":      with(fields{"initial_date?": characters(10, 10)}),
		"timepicker":      with(fields{"initial_time?": characters(5, 5), "timezone?": characters(1, 255)}),
		"datetimepicker":  element(fields{"initial_date_time?": number(1_000_000_000, 9_999_999_999), "confirm?": confirm, "focus_on_load?": truth}),
		"radio_buttons":   element(fields{"options": many(1, 10, option), "initial_option?": option, "confirm?": confirm, "focus_on_load?": truth}),
		"checkboxes":      element(fields{"options": many(1, 10, option), "initial_options?": many(1, 10, option), "confirm?": confirm, "focus_on_load?": truth}),
	}
	return kinds
}

func merge(a, b fields) fields {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// clickable are the elements of an actions block.
func clickable() map[string]check {
	kinds := selects()
	kinds["button"] = button
	kinds["overflow"] = element(fields{"options": many(1, 5, option), "confirm?": confirm})
	return kinds
}

// inputs are the elements of an input block.
func inputs() map[string]check {
	kinds := selects()
	dispatch := anything
	kinds["plain_text_input"] = element(fields{
		"multiline?": truth, "initial_value?": characters(0, 3000), "min_length?": number(0, 3000), "max_length?": number(1, 3000),
		"placeholder?": plain(150), "dispatch_action_config?": dispatch, "focus_on_load?": truth,
	})
	kinds["email_text_input"] = element(fields{"initial_value?": characters(0, 3000), "placeholder?": plain(150), "dispatch_action_config?": dispatch, "focus_on_load?": truth})
	kinds["url_text_input"] = kinds["email_text_input"]
	kinds["number_input"] = element(fields{
		"is_decimal_allowed": truth, "initial_value?": characters(0, 100), "min_value?": characters(1, 100), "max_value?": characters(1, 100),
		"placeholder?": plain(150), "dispatch_action_config?": dispatch, "focus_on_load?": truth,
	})
	return kinds
}

// block adds what every block may have.
func block(own fields) check {
	all := fields{"type": anything, "block_id?": identifier}
	maps.Copy(all, own)
	return shape(all)
}

// CheckBlocks lists what Slack would refuse in the blocks of a message, in its words.
func CheckBlocks(blocks []any) []string {
	f := &findings{blocks: map[string]bool{}}
	f.checkBlocks("/blocks", blocks, maxMessageBlocks)
	return f.sorted()
}

func (f *findings) checkBlocks(at string, blocks []any, most int) {
	many(0, most, (*findings).checkBlock)(f, at, blocks)
	if f.tables > 1 {
		f.add(at, "only_one_table_allowed")
	}
	if f.written > maxMarkdown {
		f.add(at, "markdown blocks must be less than %d characters together", maxMarkdown+1)
	}
}

func (f *findings) checkBlock(at string, v any) {
	byType(known)(f, at, v)
	o, ok := v.(object)
	if !ok {
		return
	}
	if id := text(o["block_id"]); id != "" {
		if f.blocks[id] {
			f.add(at, "block_id %q already exists", id)
		}
		f.blocks[id] = true
	}
	f.checkWhole(at, o)
}

// checkWhole judges what no single field shows.
func (f *findings) checkWhole(at string, o object) {
	list, _ := o["fields"].([]any)
	switch text(o["type"]) {
	case "section":
		if o["text"] == nil && len(list) == 0 {
			f.add(at, "missing required field: text or fields")
		}
	case "table":
		f.tables++
	case "markdown":
		f.written += utf8.RuneCountInString(text(o["text"]))
	case "input":
		f.inputs++
	case "alert":
		if !f.modal {
			f.add(at+"/type", "unsupported type: alert")
		}
	}
	f.checkElements(at, o)
}

// checkElements refuses two elements of a block with the same action id, and selects without options.
func (f *findings) checkElements(at string, o object) {
	seen := map[string]bool{}
	for _, e := range elementsOf(o) {
		id := text(e["action_id"])
		if id != "" && seen[id] {
			f.add(at, "action_id %q already exists in this block", id)
		}
		seen[id] = true
		kind := text(e["type"])
		if (kind == "static_select" || kind == "multi_static_select") && (e["options"] == nil) == (e["option_groups"] == nil) {
			f.add(at, "must define either options or option_groups")
		}
	}
}

func (f *findings) sorted() []string {
	slices.Sort(f.list)
	return f.list
}

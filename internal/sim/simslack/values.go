package simslack

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// value is what stands in an input block: what was filled in, else what the app put there.
func (v *view) value(block object) object {
	e, _ := block["element"].(object)
	if filled := v.values[text(block["block_id"])]; filled != nil {
		if given, ok := filled[text(e["action_id"])].(object); ok {
			return given
		}
	}
	return initial(e)
}

// initial is the state of an element that nobody touched.
func initial(e object) object {
	kind := text(e["type"])
	state := object{"type": kind}
	pick := func(to, from string) {
		state[to] = nil
		if e[from] != nil {
			state[to] = e[from]
		}
	}
	switch kind {
	case "static_select", "external_select", "radio_buttons":
		pick("selected_option", "initial_option")
	case "multi_static_select", "checkboxes":
		state["selected_options"] = []any{}
		if e["initial_options"] != nil {
			state["selected_options"] = e["initial_options"]
		}
	case "users_select":
		pick("selected_user", "initial_user")
	case "conversations_select":
		pick("selected_conversation", "initial_conversation")
	case "channels_select":
		pick("selected_channel", "initial_channel")
	case "datepicker":
		pick("selected_date", "initial_date")
	case "timepicker":
		pick("selected_time", "initial_time")
	case "datetimepicker":
		pick("selected_date_time", "initial_date_time")
	default:
		pick("value", "initial_value")
	}
	return state
}

// stateful says whether an element has a state that travels in view.state.
func stateful(e object) bool {
	switch text(e["type"]) {
	case "button", "overflow", "image", "mrkdwn", "plain_text", "":
		return false
	}
	return true
}

// state is the values of all inputs, as view_submission carries them.
func (v *view) state() object {
	blocks, _ := v.body["blocks"].([]any)
	return stateOf(blocks, v)
}

func stateOf(blocks []any, v *view) object {
	values := object{}
	for _, b := range blocks {
		block, _ := b.(object)
		id := text(block["block_id"])
		for _, e := range elementsOf(block) {
			if !stateful(e) {
				continue
			}
			states, _ := values[id].(object)
			if states == nil {
				states = object{}
				values[id] = states
			}
			action := text(e["action_id"])
			states[action] = initial(e)
			if v != nil && v.values[id][action] != nil {
				states[action] = v.values[id][action]
			}
		}
	}
	return values
}

// given makes the state of an element out of what a person typed or chose.
func given(e object, typed string) (object, error) {
	kind := text(e["type"])
	state := object{"type": kind}
	switch kind {
	case "static_select", "radio_buttons", "overflow":
		option, err := choose(e, typed)
		if err != nil {
			return nil, err
		}
		state["selected_option"] = option
	case "multi_static_select", "checkboxes":
		chosen := []any{}
		for one := range strings.SplitSeq(typed, ",") {
			option, err := choose(e, strings.TrimSpace(one))
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, option)
		}
		state["selected_options"] = chosen
	case "users_select":
		state["selected_user"] = typed
	case "datepicker":
		state["selected_date"] = typed
	case "timepicker":
		state["selected_time"] = typed
	case "plain_text_input", "number_input", "email_text_input", "url_text_input":
		state["value"] = nil
		if typed != "" {
			state["value"] = typed
		}
	default:
		return nil, fmt.Errorf("a %s cannot be filled in here", kind)
	}
	return state, nil
}

// optionsOf lists the options of a select, with those in groups.
func optionsOf(e object) []object {
	var all []object
	add := func(v any) {
		list, _ := v.([]any)
		for _, o := range list {
			if option, ok := o.(object); ok {
				all = append(all, option)
			}
		}
	}
	add(e["options"])
	groups, _ := e["option_groups"].([]any)
	for _, g := range groups {
		group, _ := g.(object)
		add(group["options"])
	}
	return all
}

// choose finds an option by its value or text; the beginning of the text is enough when no other begins so.
func choose(e object, typed string) (object, error) {
	var begins []object
	var labels []string
	for _, o := range optionsOf(e) {
		label := words(o["text"])
		if text(o["value"]) == typed || strings.EqualFold(label, typed) {
			return o, nil
		}
		if strings.HasPrefix(strings.ToLower(label), strings.ToLower(typed)) {
			begins = append(begins, o)
		}
		labels = append(labels, label)
	}
	if len(begins) == 1 {
		return begins[0], nil
	}
	return nil, fmt.Errorf("there is no option %q, only %s", typed, strings.Join(labels, " | "))
}

// showValue is a state as text.
func showValue(state object) string {
	if option, ok := state["selected_option"].(object); ok {
		return words(option["text"])
	}
	if list, ok := state["selected_options"].([]any); ok {
		var labels []string
		for _, o := range list {
			option, _ := o.(object)
			labels = append(labels, words(option["text"]))
		}
		return strings.Join(labels, ", ")
	}
	for _, key := range []string{"value", "selected_user", "selected_date", "selected_time", "selected_channel", "selected_conversation"} {
		if s := text(state[key]); s != "" {
			return s
		}
	}
	return ""
}

// complaint is what Slack's client says of an input before it sends anything; empty when nothing is wrong.
func complaint(block object, state object) string {
	e, _ := block["element"].(object)
	value := showValue(state)
	if value == "" {
		if block["optional"] == true {
			return ""
		}
		return "Please complete this required field."
	}
	n := utf8.RuneCountInString(value)
	if least, ok := e["min_length"].(float64); ok && n < int(least) {
		return fmt.Sprintf("Please enter at least %d characters.", int(least))
	}
	if most, ok := e["max_length"].(float64); ok && n > int(most) {
		return fmt.Sprintf("Please enter no more than %d characters.", int(most))
	}
	return ""
}

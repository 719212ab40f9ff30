package simteams

import "strings"

// inside lists the elements that an element is made of.
func inside(o object) []object {
	var found []object
	for _, key := range []string{"body", "items", "columns", "rows", "cells"} {
		found = append(found, objects(o[key])...)
	}
	return found
}

func objects(v any) []object {
	list, _ := v.([]any)
	var found []object
	for _, item := range list {
		if o, ok := item.(object); ok {
			found = append(found, o)
		}
	}
	return found
}

// hidden says whether a card keeps an element from being seen.
func hidden(o object) bool { return o["isVisible"] == false }

// inputsOf lists the inputs of a card, without those of cards that a button of it opens.
func inputsOf(o object) []object {
	var found []object
	for _, e := range inside(o) {
		if hidden(e) {
			continue
		}
		if strings.HasPrefix(text(e["type"]), "Input.") {
			found = append(found, e)
		}
		found = append(found, inputsOf(e)...)
	}
	return found
}

// button is an action of a card, with the cards it stands in, from the outermost to the innermost.
type button struct {
	action object
	in     []object
}

func (b button) title() string { return text(b.action["title"]) }

// inputs are those that are sent along.
func (b button) inputs() []object {
	if b.action["associatedInputs"] == "none" {
		return nil
	}
	var found []object
	for _, card := range b.in {
		found = append(found, inputsOf(card)...)
	}
	return found
}

// buttonsOf lists what can be pressed on a card, also what stands in cards that a button opens.
func buttonsOf(p *Person, card object) []button { return pressable(p, card, []object{card}) }

func pressable(p *Person, o object, in []object) []button {
	var found []button
	for _, e := range inside(o) {
		if !hidden(e) {
			found = append(found, pressable(p, e, in)...)
		}
	}
	for _, a := range actionsOf(p, o) {
		found = append(found, button{a, in})
		if inner, ok := a["card"].(object); ok && text(a["type"]) == "Action.ShowCard" {
			found = append(found, pressable(p, inner, append(append([]object(nil), in...), inner))...)
		}
	}
	return found
}

// actionsOf lists an element's own actions as a person's client knows them: an old one shows the fallback of what it
// does not know.
func actionsOf(p *Person, o object) []object {
	var found []object
	for _, a := range objects(o["actions"]) {
		if p.OldClient && text(a["type"]) == "Action.Execute" {
			fallback, ok := a["fallback"].(object)
			if !ok {
				continue
			}
			a = fallback
		}
		found = append(found, a)
	}
	return found
}

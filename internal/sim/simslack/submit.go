package simslack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errNoForm says that there is nothing to fill in.
var errNoForm = errors.New("there is no form open")

// Submit fills in the form a person has open and sends it. What Slack's client or the app finds wrong stays on the form.
func (s *Server) Submit(ctx context.Context, person string, values map[string]string) error {
	d, p, v, err := s.fill(person, values)
	if err != nil || d.Payload == nil {
		return err
	}
	ack, err := s.Send(ctx, d, Forgery{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.notice(p.ID, "We had some trouble connecting. Try again?")
		return err
	}
	return s.viewAnswer(p, v, ack.Body)
}

// fill puts values into the open form and makes its delivery; no payload means that Slack's own client found something wrong.
func (s *Server) fill(person string, values map[string]string) (Delivery, *Person, *view, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.person(person)
	if err != nil {
		return Delivery{}, nil, nil, err
	}
	v := s.screen(p.ID).top()
	if v == nil {
		return Delivery{}, nil, nil, errNoForm
	}
	for key, typed := range values {
		if err := v.enter(key, typed); err != nil {
			return Delivery{}, nil, nil, err
		}
	}
	v.errors = v.complaints()
	v.revision = s.Touch()
	if len(v.errors) > 0 {
		return Delivery{}, p, v, nil
	}
	o := s.interaction("view_submission", p)
	o["view"], o["response_urls"] = s.viewObject(v), []any{}
	o["trigger_id"] = s.newTrigger(p.ID, v.id)
	d := Delivery{Kind: Interaction, Payload: o}
	s.screen(p.ID).last = &d
	return d, p, v, nil
}

// enter fills in one input.
func (v *view) enter(key, typed string) error {
	blocks, _ := v.body["blocks"].([]any)
	var labels []string
	for _, b := range blocks {
		block, _ := b.(object)
		for _, e := range elementsOf(block) {
			if !stateful(e) {
				continue
			}
			if !matches(block, e, key) {
				labels = append(labels, words(block["label"]))
				continue
			}
			state, err := given(e, typed)
			if err != nil {
				return err
			}
			id := text(block["block_id"])
			if v.values[id] == nil {
				v.values[id] = object{}
			}
			v.values[id][text(e["action_id"])] = state
			return nil
		}
	}
	return fmt.Errorf("the form has no field %q, only %s", key, strings.Join(labels, ", "))
}

// complaints is what Slack's client finds wrong, by block id.
func (v *view) complaints() map[string]string {
	wrong := map[string]string{}
	blocks, _ := v.body["blocks"].([]any)
	for _, b := range blocks {
		block, _ := b.(object)
		if text(block["type"]) != "input" {
			continue
		}
		if said := complaint(block, v.value(block)); said != "" {
			wrong[text(block["block_id"])] = said
		}
	}
	return wrong
}

// viewAnswer does what the app answered a submission with. The lock is held.
func (s *Server) viewAnswer(p *Person, v *view, body []byte) error {
	sc := s.screen(p.ID)
	if len(strings.TrimSpace(string(body))) == 0 {
		sc.close(v)
		s.Touch()
		return nil
	}
	answer, ok := decode(body)
	if !ok {
		return s.trouble(p, "the answer is no JSON object")
	}
	switch text(answer["response_action"]) {
	case "errors":
		return s.showErrors(p, v, answer["errors"])
	case "update":
		return s.answerView(p, answer, func(next object) error { s.replaceView(v, next); return nil })
	case "push":
		return s.answerView(p, answer, func(next object) error { _, err := s.push(sc, next); return err })
	case "clear":
		sc.views = nil
		s.Touch()
		return nil
	}
	if len(answer) == 0 {
		sc.close(v)
		s.Touch()
		return nil
	}
	return s.trouble(p, "unknown response_action "+text(answer["response_action"]))
}

// trouble is what a person sees when the app's answer cannot be used; the reason goes to the caller only.
func (s *Server) trouble(p *Person, reason string) error {
	s.notice(p.ID, "We had some trouble connecting. Try again?")
	return errors.New("Slack cannot use the answer: " + reason)
}

func (s *Server) answerView(p *Person, answer object, use func(object) error) error {
	raw, err := json.Marshal(answer["view"])
	if err != nil {
		return s.trouble(p, "the view is no JSON")
	}
	next, err := readView(&call{args: object{"view": string(raw)}}, "modal")
	if err == nil {
		err = use(next)
	}
	if err != nil {
		return s.trouble(p, err.Error()+fmt.Sprint(failure(err)["response_metadata"]))
	}
	return nil
}

// showErrors puts the app's errors on the form. Their keys have to be block ids of inputs.
func (s *Server) showErrors(p *Person, v *view, errs any) error {
	said, _ := errs.(object)
	if len(said) == 0 {
		return s.trouble(p, "errors is empty")
	}
	blocks, _ := v.body["blocks"].([]any)
	wrong := map[string]string{}
	for id, message := range said {
		isInput := slices.ContainsFunc(blocks, func(b any) bool {
			block, _ := b.(object)
			return text(block["block_id"]) == id && text(block["type"]) == "input"
		})
		if !isInput {
			return s.trouble(p, "errors names "+id+", which is no input block")
		}
		wrong[id] = text(message)
	}
	v.errors, v.revision = wrong, s.Touch()
	return nil
}

// close takes a view and those above it away.
func (sc *screen) close(v *view) {
	if i := slices.Index(sc.views, v); i >= 0 {
		sc.views = sc.views[:i]
	}
}

// CloseForm closes the open form with its cross. The app is told when it asked to be.
func (s *Server) CloseForm(ctx context.Context, person string) error {
	s.mu.Lock()
	p, err := s.person(person)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	sc := s.screen(p.ID)
	v := sc.top()
	if v == nil {
		s.mu.Unlock()
		return errNoForm
	}
	all := v.body["clear_on_close"] == true
	sc.close(v)
	if all {
		sc.views = nil
	}
	s.Touch()
	o := s.interaction("view_closed", p)
	o["view"], o["is_cleared"] = s.viewObject(v), all
	s.mu.Unlock()
	if v.body["notify_on_close"] != true {
		return nil
	}
	_, err = s.Send(ctx, Delivery{Kind: Interaction, Payload: o}, Forgery{})
	return err
}

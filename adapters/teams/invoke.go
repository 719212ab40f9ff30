package teams

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

// actionName is the invoke of a button of the kind Action.Execute.
const actionName = "adaptiveCard/action"

// invoked is what such an invoke answers: always with the HTTP status 200.
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards
type invoked struct {
	StatusCode int    `json:"statusCode"`
	Type       string `json:"type"`
	Value      any    `json:"value"`
}

// toast shows a sentence beside the card.
func toast(text string) ack {
	return ack{status: http.StatusOK, payload: invoked{StatusCode: http.StatusOK, Type: "application/vnd.microsoft.activity.message", Value: card.Tidy(text, maxTyped)}}
}

// nothingToShow is said where a click came to nothing: an invoke has to have an answer.
const nothingToShow = "There is nothing more to show here."

// asItWas leaves the card as all see it.
func asItWas() ack {
	return ack{status: http.StatusOK, payload: invoked{
		StatusCode: http.StatusServiceUnavailable, Type: "application/vnd.microsoft.error",
		Value: element{"code": "ServiceUnavailable", "message": "The card was not refreshed."},
	}}
}

// instead shows another card in the place of the one that was clicked, to the
// person who clicked alone.
func instead(drawn element) ack {
	return ack{status: http.StatusOK, payload: invoked{StatusCode: http.StatusOK, Type: cardType, Value: drawn}}
}

// formOr shows a form if it fits, and else says something.
func formOr(drawn element, fits bool, words string) ack {
	if fits {
		return instead(drawn)
	}
	return toast(words)
}

// invoke answers a click. The answer is the card's new look for this person;
// for everybody else the message is rewritten when the request turns.
func (h *Handler) invoke(ctx context.Context, a *received, once string) ack {
	if a.Name != actionName {
		return h.refuse(http.StatusNotImplemented, Unknown)
	}
	if _, ok := h.account(a); !ok {
		return h.refuse(http.StatusForbidden, NotAllowed)
	}
	var value struct {
		Trigger string `json:"trigger"`
		Action  struct {
			Data json.RawMessage `json:"data"`
		} `json:"action"`
	}
	if json.Unmarshal(a.extra.Value, &value) != nil {
		return h.refuse(http.StatusBadRequest, Malformed)
	}
	from, err := h.sender(ctx, a, once)
	switch {
	case err != nil && value.Trigger == "automatic":
		return asItWas() // nobody clicked, and the card that all see stands
	case err != nil:
		return toast(excuse(err))
	}
	f := readFilled(value.Action.Data)
	ref := h.clickedRef(a, from, f)
	if f.Form != "" {
		return h.filledIn(ctx, from, f, a)
	}
	if f.Act == card.Refresh {
		return h.answer(ctx, from, h.cfg.Service.View(ctx, from, f.Request, ref), f, a)
	}
	return h.answer(ctx, from, h.click(ctx, from, f, ref), f, a)
}

// click says a click to the workflow. A reason stands beside the button, so what
// is a form of its own elsewhere is filled in already.
func (h *Handler) click(ctx context.Context, from workflow.Sender, f filled, ref pim.MessageRef) workflow.Reply {
	if name, field := formBeside(f.Act); name != "" && f.Input != "" {
		return h.cfg.Service.Filled(ctx, from, card.Filled{
			Name: name, Request: f.Request, Digest: f.Digest, Values: map[string]string{field: f.reason()}, Ref: ref,
		})
	}
	return h.cfg.Service.Click(ctx, from, workflow.Click{
		Act: f.Act, Request: f.Request, Digest: f.Digest, Role: f.Role, Reason: f.reason(), Ref: ref,
	})
}

// formBeside is the form whose one field stands beside a button, and that field.
func formBeside(act card.Act) (name, field string) {
	switch act { //nolint:exhaustive // the others have none, or no field that must be filled in
	case card.Deny:
		return card.FormDeny, card.FieldReason
	case card.Review:
		return card.FormReview, card.FieldNote
	}
	return "", ""
}

// answer turns a reply into the answer of an invoke.
func (h *Handler) answer(ctx context.Context, from workflow.Sender, reply workflow.Reply, f filled, a *received) ack {
	d := h.client.drawing(from.Zone, false)
	if h.bound(a, f) { // else whoever names a request would be given its code
		d = d.in(a.Conversation.ID)
	}
	switch {
	case len(reply.Errors) > 0:
		return toast(firstOf(reply.Errors))
	case reply.Later != nil:
		return h.laterOn(ctx, from, reply, a)
	case reply.Form != nil:
		drawn, fits := d.form(*reply.Form, nil, nil)
		return formOr(drawn, fits, insteadOf(*reply.Form))
	case reply.Card == nil && f.Request != "":
		reply = h.cfg.Service.View(ctx, from, f.Request, pim.MessageRef{})
		if reply.Card == nil {
			return toast(nothingToShow)
		}
	case reply.Card == nil:
		return toast(nothingToShow)
	case f.Form != "" || f.Act == card.Refresh:
		// What was filled in gives way to what came of it.
	case !f.OfCard && len(reply.Card.Buttons) == 0:
		return toast(reply.Card.Fallback) // the list stays
	case f.OfCard:
		c := h.besideCard(ctx, from, *reply.Card, f.Request) // the workflow keeps its own for repetitions
		reply.Card = &c
	}
	drawn, err := d.adaptive(*reply.Card, nil)
	if err != nil {
		return toast(reply.Card.Fallback)
	}
	return instead(drawn)
}

// besideCard is an answer to a click on a request's card, and the way back to it.
func (h *Handler) besideCard(ctx context.Context, from workflow.Sender, said card.Card, id pim.RequestID) card.Card {
	if len(said.Buttons) == 0 {
		return h.above(ctx, from, said, id)
	}
	said.Buttons = append(slices.Clone(said.Buttons), card.Button{Label: "Back to the request", Act: card.Refresh, Request: id})
	said.Request = id
	return said
}

// above puts what was answered above the card as it stands now for this person.
func (h *Handler) above(ctx context.Context, from workflow.Sender, said card.Card, id pim.RequestID) card.Card {
	now := h.cfg.Service.View(ctx, from, id, pim.MessageRef{})
	if now.Card == nil || now.Card.Request == "" {
		return said
	}
	c := *now.Card
	lines := slices.Clone(said.Lines)
	if said.Title != "" && said.Title != c.Title {
		lines = append([]card.Text{{{Strong: said.Tone.Sign() + said.Title}}}, lines...)
	}
	c.Lines = slices.Concat(lines, c.Lines)
	return c
}

// laterOn answers with what is known, and with the rest in a message.
func (h *Handler) laterOn(ctx context.Context, from workflow.Sender, reply workflow.Reply, a *received) ack {
	room, ok := h.later.Take(from.Account.User)
	if !ok {
		h.cfg.Count(Busy)
		return toast(card.Busy)
	}
	room.Run(ctx, afterwards, func(ctx context.Context) {
		h.deliver(ctx, answerTo{from: from, activity: a}, workflow.Reply{Later: reply.Later})
	})
	if reply.Card == nil {
		return toast("One moment.")
	}
	return toast(reply.Card.Fallback)
}

// filledIn answers a form that came back.
func (h *Handler) filledIn(ctx context.Context, from workflow.Sender, f filled, a *received) ack {
	reply := h.cfg.Service.Filled(ctx, from, card.Filled{Name: f.Form, Request: f.Request, Digest: f.Digest, Values: f.values})
	if len(reply.Errors) > 0 {
		return h.complain(ctx, from, f, reply.Errors)
	}
	return h.answer(ctx, from, reply, f, a)
}

// complain shows the form again, with what was filled in and what is wrong with it.
func (h *Handler) complain(ctx context.Context, from workflow.Sender, f filled, wrong map[string]string) ack {
	form, ok := h.again(ctx, from, f)
	if !ok {
		return toast(firstOf(wrong))
	}
	drawn, fits := h.client.drawing(from.Zone, false).form(form, f.values, wrong)
	return formOr(drawn, fits, firstOf(wrong))
}

// again makes the form anew that was filled in.
func (h *Handler) again(ctx context.Context, from workflow.Sender, f filled) (card.Form, bool) {
	if f.Form != card.FormAsk {
		return card.Form{}, false
	}
	from.Once = "" // the input was used for what was filled in
	reply := h.cfg.Service.Click(ctx, from, workflow.Click{Act: card.OpenForm, Role: f.values[card.FieldRole], Request: f.Request, Digest: f.Digest})
	if reply.Form == nil {
		return card.Form{}, false
	}
	return *reply.Form, true
}

// fill is a form that came as a message; what is wrong is told in words.
func (h *Handler) fill(ctx context.Context, from workflow.Sender, f filled) workflow.Reply {
	reply := h.cfg.Service.Filled(ctx, from, card.Filled{Name: f.Form, Request: f.Request, Digest: f.Digest, Values: f.values})
	if len(reply.Errors) > 0 {
		c := card.Answer(firstOf(reply.Errors))
		return workflow.Reply{Card: &c}
	}
	return reply
}

// firstOf is what is said where there is room for one sentence.
func firstOf(wrong map[string]string) string {
	return wrong[slices.Min(slices.Collect(maps.Keys(wrong)))]
}

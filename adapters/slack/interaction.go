package slack

import (
	"context"
	"net/http"

	"github.com/slack-go/slack"

	"elevate/internal/card"
	"elevate/internal/pim"
	"elevate/internal/workflow"
)

func (h *Handler) serveInteraction(w http.ResponseWriter, r *http.Request) {
	body, ok := h.take(w, r, formType)
	if !ok {
		return
	}
	if asksForTLS(body) {
		h.answer(w, accepted)
		return
	}
	callback, err := slack.InteractionCallbackParse(r)
	if err != nil {
		h.answer(w, h.refuse(http.StatusBadRequest, Malformed))
		return
	}
	h.answer(w, h.interaction(r.Context(), callback, once(callback.TriggerID, body)))
}

// interaction says a click or a form to the workflow.
func (h *Handler) interaction(ctx context.Context, in slack.InteractionCallback, name string) ack {
	if !userID.MatchString(in.User.ID) {
		return h.refuse(http.StatusBadRequest, Malformed)
	}
	if refused, ok := h.ours(in.Team.ID, in.Enterprise.ID, in.APIAppID); !ok {
		return refused
	}
	// Messages in a channel that is shared with others show their buttons to
	// people of other workspaces: the team of the message is ours then, only the
	// person's is not. In an organisation the person's own team says little;
	// there Account asks Slack.
	if !h.client.wide() && in.User.TeamID != h.client.cfg.TeamID {
		return h.refuse(http.StatusForbidden, Foreign)
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	switch in.Type {
	case slack.InteractionTypeBlockActions:
		return h.clicked(ctx, in, name)
	case slack.InteractionTypeViewSubmission:
		return h.submitted(ctx, in, name)
	default:
		return accepted // a view that was closed, or something Elevate has not
	}
}

// clicked says a click to the workflow before Slack has its answer, so that it
// is not lost when the process ends; what the person sees of it comes after.
func (h *Handler) clicked(ctx context.Context, in slack.InteractionCallback, name string) ack {
	if len(in.ActionCallback.BlockActions) == 0 {
		return accepted
	}
	action := in.ActionCallback.BlockActions[0]
	t := readToken(action.Value)
	if t.Act == "" || t.Act.Leads() {
		return accepted // the address was opened by Slack itself
	}
	room, ok := h.later.Take(in.User.ID)
	if !ok {
		// Slack shows a sign beside the button; there is no room to say more.
		return h.refuse(http.StatusServiceUnavailable, Busy)
	}
	defer room.Free()
	channel := in.Channel.ID
	to := asked{channel: channel, responseURL: in.ResponseURL, trigger: in.TriggerID}
	from, err := h.sender(ctx, in.User.ID, h.where(channel, in.User.ID), name)
	if err != nil {
		to.from = workflow.Sender{Account: h.client.account(in.User.ID)}
		room.Run(ctx, afterwards, func(ctx context.Context) { h.tell(ctx, to, sentence(excuse(err))) })
		return accepted
	}
	to.from = from
	reply := h.cfg.Service.Click(ctx, from, workflow.Click{
		Act: t.Act, Request: pim.ParseRequestID(string(t.Request)), Digest: t.Digest, Role: t.Role, Ref: h.reference(in, from),
	})
	room.Run(ctx, afterwards, func(ctx context.Context) { h.deliver(ctx, to, reply) })
	return accepted
}

// reference is the message that was clicked, when it is one that the bot posted
// and can rewrite. A message that somebody else copied must not be adopted.
func (h *Handler) reference(in slack.InteractionCallback, from workflow.Sender) pim.MessageRef {
	self := h.client.self.Load()
	at, ts := in.Channel.ID, in.Container.MessageTs
	byUs := in.Message.BotID == self.bot || in.Message.BotID == "" && in.Message.User == self.user
	if at == "" || ts == "" || in.Container.IsEphemeral || in.Message.Timestamp != ts || !byUs {
		return pim.MessageRef{}
	}
	return pim.MessageRef{Conversation: from.Place, ID: ts, Channel: at}
}

// submitted says a form to the workflow. The answer closes it, or says what is
// wrong with which field.
func (h *Handler) submitted(ctx context.Context, in slack.InteractionCallback, name string) ack {
	t := readToken(in.View.PrivateMetadata)
	from, err := h.sender(ctx, in.User.ID, h.where(t.Channel, in.User.ID), name)
	if err != nil {
		return h.complain(in.View, map[string]string{"": excuse(err)})
	}
	room, ok := h.later.Take(in.User.ID)
	if !ok {
		h.cfg.Count(Busy)
		return h.complain(in.View, map[string]string{"": card.Busy})
	}
	defer room.Free()
	reply := h.cfg.Service.Filled(ctx, from, card.Filled{
		Name: in.View.CallbackID, Request: pim.ParseRequestID(string(t.Request)), Digest: t.Digest, Values: valuesOf(in.View),
	})
	to := asked{from: from, channel: t.Channel}
	to.responseURL, _ = h.forms.Get(in.View.ID, h.cfg.Now())
	switch {
	case len(reply.Errors) > 0:
		return h.complain(in.View, reply.Errors)
	case reply.Form != nil:
		next := h.client.drawing().view(*reply.Form, t.Channel)
		reply.Form = nil
		room.Run(ctx, afterwards, func(ctx context.Context) { h.deliver(ctx, to, reply) })
		return ack{status: http.StatusOK, payload: slack.NewUpdateViewSubmissionResponse(&next)}
	}
	room.Run(ctx, afterwards, func(ctx context.Context) { h.deliver(ctx, to, reply) })
	return ack{status: http.StatusOK, payload: slack.NewClearViewSubmissionResponse()}
}

// valuesOf reads what was filled in. Of each block only the input that forms of
// ours have is looked at.
func valuesOf(v slack.View) map[string]string {
	values := map[string]string{}
	if v.State == nil {
		return values
	}
	for block, actions := range v.State.Values {
		given, ok := actions[valueID]
		if !ok || len(values) == maxViewBlocks {
			continue
		}
		values[block] = given.Value
		if given.SelectedOption.Value != "" {
			values[block] = given.SelectedOption.Value
		}
	}
	return values
}

// complain puts sentences on the fields of a form. Slack takes only block ids
// of inputs, so the rest goes to the first of them.
func (h *Handler) complain(v slack.View, errs map[string]string) ack {
	inputs, first := inputsOf(v)
	said := map[string]string{}
	for field, text := range errs {
		if !inputs[field] {
			field = first
		}
		if said[field] != "" {
			text = said[field] + " " + text
		}
		said[field] = card.Cut(tidy(text), maxField)
	}
	if first == "" {
		// A view without inputs is none of ours; it can only be closed.
		return ack{status: http.StatusOK, payload: slack.NewClearViewSubmissionResponse()}
	}
	return ack{status: http.StatusOK, payload: slack.NewErrorsViewSubmissionResponse(said)}
}

func inputsOf(v slack.View) (inputs map[string]bool, first string) {
	inputs = map[string]bool{}
	for _, b := range v.Blocks.BlockSet {
		if in, ok := b.(*slack.InputBlock); ok && in.BlockID != "" {
			inputs[in.BlockID] = true
			if first == "" {
				first = in.BlockID
			}
		}
	}
	return inputs, first
}

package slack

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/slack-go/slack/slackevents"

	"elevate/internal/card"
	"elevate/internal/pim"
)

func (h *Handler) serveEvent(w http.ResponseWriter, r *http.Request) {
	body, ok := h.take(w, r, jsonType)
	if !ok {
		return
	}
	h.answer(w, h.event(r.Context(), body))
}

// envelopeOf is the outside of an event. The inside is read apart from it: one
// malformed block must not make the event look foreign.
type envelopeOf struct {
	Type         string `json:"type"`
	Challenge    string `json:"challenge"`
	TeamID       string `json:"team_id"`
	EnterpriseID string `json:"enterprise_id"`
	APIAppID     string `json:"api_app_id"`
	EventID      string `json:"event_id"`
}

// event takes in one event. Slack repeats those that it gets no answer to, and
// switches the subscription off when most of them fail.
func (h *Handler) event(ctx context.Context, raw []byte) ack {
	var out envelopeOf
	if json.Unmarshal(raw, &out) != nil {
		return h.refuse(http.StatusBadRequest, Malformed)
	}
	if out.Type == slackevents.URLVerification {
		return ack{status: http.StatusOK, payload: card.Cut(out.Challenge, maxValue)}
	}
	if refused, ok := h.ours(out.TeamID, out.EnterpriseID, out.APIAppID); !ok {
		return refused
	}
	if out.Type != slackevents.CallbackEvent {
		return accepted
	}
	if out.EventID == "" || !h.events.First(out.EventID, struct{}{}, h.cfg.Now()) {
		h.cfg.Count(Repeated)
		return accepted
	}
	in, err := slackevents.ParseEvent(raw, slackevents.OptionNoVerifyToken())
	if err != nil {
		h.cfg.Count(Malformed)
		return accepted
	}
	answer := h.happened(ctx, in.InnerEvent.Data)
	if answer.status != http.StatusOK {
		h.events.Drop(out.EventID) // its repetition is welcome
	}
	return answer
}

func (h *Handler) happened(ctx context.Context, data any) ack {
	switch e := data.(type) {
	case *slackevents.AppHomeOpenedEvent:
		if e.Tab != "home" || !userID.MatchString(e.User) {
			return accepted
		}
		return h.afterwards(ctx, e.User, func(ctx context.Context) { h.publishHome(ctx, e.User) })
	case *slackevents.UserChangeEvent:
		return h.afterwards(ctx, "changed "+e.User.ID, func(ctx context.Context) { h.changed(ctx, e.User.ID) })
	case *slackevents.AppUninstalledEvent, *slackevents.TokensRevokedEvent:
		h.cfg.Count(Uninstalled)
		h.cfg.Logger.Error("Elevate's installation in Slack was ended or its tokens were revoked", "chat", string(pim.Slack))
	}
	return accepted
}

// afterwards does something after Slack has its answer, or asks it to come again.
func (h *Handler) afterwards(ctx context.Context, user string, work func(context.Context)) ack {
	room, ok := h.later.Take(user)
	if !ok {
		return h.refuse(http.StatusServiceUnavailable, Busy)
	}
	room.Run(ctx, afterwards, work)
	return accepted
}

// changed forgets what was believed of an account. Whether it may still be used
// is asked of Slack again, not read from the event.
func (h *Handler) changed(ctx context.Context, user string) {
	if !userID.MatchString(user) {
		return
	}
	a := h.client.account(user)
	h.client.Forget(a)
	if h.cfg.AccountChanged != nil {
		h.cfg.AccountChanged(ctx, a)
	}
}

// publishHome shows the Home tab to a person.
func (h *Handler) publishHome(ctx context.Context, user string) {
	from, err := h.sender(ctx, user, h.where("", user), "")
	switch {
	case err != nil:
		err = h.client.publish(ctx, user, sentence(excuse(err)))
	case h.cfg.Home != nil:
		err = h.cfg.Home(ctx, from)
	default:
		err = h.client.ShowHome(ctx, from.Account, welcome())
	}
	if err != nil {
		e := pim.Explain(err)
		h.cfg.Count(Undelivered)
		h.cfg.Logger.Warn("the Home tab was not shown", "chat", string(pim.Slack), "kind", string(e.Kind), "code", e.Code)
	}
}

// welcome is the Home tab of somebody of whom nothing is known yet.
func welcome() card.Card {
	what := "Elevate asks Microsoft Entra PIM for privileged access for you: for a reason, for a limited time, and with the approval of a named person where the role wants it. The access ends by itself."
	return card.Card{
		Title: "Elevate", Fallback: what,
		Lines: []card.Text{
			card.Plain(what),
			{
				{Plain: "Type "},
				{Code: "/elevate"},
				{Plain: " in any channel, "},
				{Code: "/elevate status"},
				{Plain: " to see your requests, or "},
				{Code: "/elevate help"},
				{Plain: " for the rest."},
			},
		},
		Buttons: []card.Button{{Label: "Ask for a role", Act: card.OpenForm, Style: card.Primary}},
	}
}

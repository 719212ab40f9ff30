package slack

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/slack-go/slack"

	"elevate/internal/card"
	"elevate/internal/workflow"
)

func (h *Handler) serveCommand(w http.ResponseWriter, r *http.Request) {
	body, ok := h.take(w, r, formType)
	if !ok {
		return
	}
	if asksForTLS(body) {
		h.answer(w, accepted)
		return
	}
	cmd, err := slack.SlashCommandParse(r)
	if err != nil {
		h.answer(w, h.refuse(http.StatusBadRequest, Malformed))
		return
	}
	h.answer(w, h.command(r.Context(), cmd, once(cmd.TriggerID, body)))
}

// command says a slash command to the workflow. The answer to Slack's call is
// the answer to the person.
func (h *Handler) command(ctx context.Context, cmd slack.SlashCommand, name string) ack {
	if cmd.Command == "" || cmd.TeamID == "" || !userID.MatchString(cmd.UserID) {
		return h.refuse(http.StatusBadRequest, Malformed)
	}
	if refused, ok := h.ours(cmd.TeamID, cmd.EnterpriseID, cmd.APIAppID); !ok {
		return refused
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	from, err := h.sender(ctx, cmd.UserID, h.where(cmd.ChannelID, cmd.UserID), name)
	if err != nil {
		return h.privately(sentence(excuse(err)))
	}
	reply := h.cfg.Service.Command(ctx, from, untangle(cmd.Text))
	to := asked{from: from, channel: cmd.ChannelID, responseURL: cmd.ResponseURL, trigger: cmd.TriggerID}
	if reply.Form != nil || reply.Later != nil {
		return h.goOn(ctx, to, reply)
	}
	if reply.Card == nil {
		return accepted
	}
	return h.privately(*reply.Card)
}

// goOn carries out what waits for a network, a form or a list, after the
// answer, which carries the card if there is one.
func (h *Handler) goOn(ctx context.Context, to asked, reply workflow.Reply) ack {
	room, ok := h.later.Take(to.from.Account.User)
	if !ok {
		h.cfg.Count(Busy)
		return h.privately(sentence(card.Busy))
	}
	room.Run(ctx, afterwards, func(ctx context.Context) {
		h.deliver(ctx, to, workflow.Reply{Form: reply.Form, Later: reply.Later})
	})
	if reply.Card == nil {
		return accepted
	}
	return h.privately(*reply.Card)
}

// ephemeral is an answer in the response itself, which only the person sees.
type ephemeral struct {
	ResponseType string       `json:"response_type"`
	Text         string       `json:"text"`
	Blocks       slack.Blocks `json:"blocks"`
	UnfurlLinks  bool         `json:"unfurl_links"`
	UnfurlMedia  bool         `json:"unfurl_media"`
}

func (h *Handler) privately(c card.Card) ack {
	m := h.client.drawing().message(c)
	return ack{status: http.StatusOK, payload: ephemeral{
		ResponseType: slack.ResponseTypeEphemeral, Text: m.text, Blocks: slack.Blocks{BlockSet: m.blocks},
	}}
}

// sentence is a card that says one thing.
func sentence(s string) card.Card {
	return card.Card{Tone: card.Neutral, Lines: []card.Text{card.Plain(s)}, Fallback: s}
}

var (
	bracketed = regexp.MustCompile(`<([^<>]*)>`)
	unescaped = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// untangle turns the text of a command back into what was typed: Slack puts
// people, channels and links in angle brackets and escapes three characters.
func untangle(text string) string {
	text = bracketed.ReplaceAllStringFunc(text, func(token string) string {
		target, label, _ := strings.Cut(token[1:len(token)-1], "|")
		sign := ""
		if strings.HasPrefix(target, "@") || strings.HasPrefix(target, "#") || strings.HasPrefix(target, "!") {
			sign, target = target[:1], target[1:]
		}
		switch {
		case sign == "":
			return target // an address: the label may say anything
		case label != "":
			return strings.ReplaceAll(sign, "!", "@") + label
		}
		return strings.ReplaceAll(sign, "!", "@") + target
	})
	return strings.TrimSpace(unescaped.Replace(text))
}

package simteams

import (
	"encoding/json"
	"net/http"
)

// The types of answers to an invoke of the name adaptiveCard/action.
// https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model#response-format
const (
	answerToast    = "application/vnd.microsoft.activity.message"
	answerError    = "application/vnd.microsoft.error"
	answerLogin    = "application/vnd.microsoft.activity.loginRequest"
	answerAuthCode = "application/vnd.microsoft.error.incorrectAuthCode"
	answerFailed   = "application/vnd.microsoft.error.preconditionFailed"
)

// statusOf is the statusCode that has to stand with a type; 0 is one of 400 and 500.
var statusOf = map[string]int{
	cardType: http.StatusOK, answerToast: http.StatusOK, answerError: 0, answerLogin: http.StatusUnauthorized,
	answerAuthCode: http.StatusUnauthorized, answerFailed: http.StatusPreconditionFailed,
}

// invoked is the body of an answer to an invoke.
type invoked struct {
	StatusCode int    `json:"statusCode"`
	Type       string `json:"type"`
	Value      any    `json:"value"`
}

// genuine says whether statusCode and type belong together.
func (i invoked) genuine() bool {
	want, known := statusOf[i.Type]
	if known && want == 0 {
		return i.StatusCode == http.StatusBadRequest || i.StatusCode == http.StatusInternalServerError
	}
	return known && i.StatusCode == want
}

// answeredCard is the card of an answer that is one.
func answeredCard(body []byte) (object, bool) {
	var said invoked
	if json.Unmarshal(body, &said) != nil || said.Type != cardType || !said.genuine() {
		return nil, false
	}
	card, ok := said.Value.(object)
	return card, ok && checkCard(card) == nil
}

// trouble is what a client shows when it cannot use an answer.
const trouble = "Something went wrong. Please try again."

// invokeAnswer shows a person what the bot answered to their click. The lock is held.
func (s *Server) invokeAnswer(p *Person, d delivery, ack Ack) error {
	var said invoked
	if err := json.Unmarshal(ack.Body, &said); err != nil || ack.Status != http.StatusOK || !said.genuine() {
		s.notice(p, trouble)
		return &DeliveryError{"invalid_invoke_response", err}
	}
	switch said.Type {
	case cardType:
		card, ok := answeredCard(ack.Body)
		if !ok {
			s.notice(p, trouble)
			return &DeliveryError{"invalid_card_in_invoke_response", nil}
		}
		for _, found := range CheckCard(card) {
			s.note(found)
		}
		if d.current() {
			s.keep(p, d.message, card)
		}
	case answerToast:
		s.notice(p, text(said.Value))
	case answerLogin:
		s.notice(p, "(the bot asks for a sign-in, which is not simulated)")
	default:
		value, _ := said.Value.(object)
		s.notice(p, orElse(text(value["message"]), trouble))
	}
	return nil
}

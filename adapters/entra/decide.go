package entra

import (
	"context"
	"strings"

	"github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"elevate/internal/pim"
)

// Assigned reads the stage of an approval that matters to this person: the one assigned to them, else the open one, else
// the last.
func (c *Client) Assigned(ctx context.Context, as pim.Actor, approvalID string) (pim.Stage, error) {
	if approvalID == "" {
		return pim.Stage{}, errNoID
	}
	var all []models.ApprovalStageable
	next := ""
	for range maxPages {
		page, err := c.stagePage(ctx, as, approvalID, next)
		if err != nil {
			return pim.Stage{}, err
		}
		all = append(all, page.GetValue()...)
		following := str(page.GetOdataNextLink())
		if following == "" {
			return theirs(all)
		}
		if next, err = c.ours(following); err != nil {
			return pim.Stage{}, err
		}
	}
	return pim.Stage{}, errEndless
}

func (c *Client) stagePage(ctx context.Context, as pim.Actor, approvalID, address string) (models.ApprovalStageCollectionResponseable, error) {
	k, err := c.asPerson(opStages, as)
	if err != nil {
		return nil, err
	}
	builder := k.stages(approvalID)
	if address != "" {
		builder = builder.WithUrl(address)
	}
	var answer models.ApprovalStageCollectionResponseable
	err = k.do(ctx, func(ctx context.Context) (err error) {
		answer, err = builder.Get(ctx, nil)
		return err
	})
	if err == nil && answer == nil {
		err = k.unreadable()
	}
	return answer, err
}

func theirs(stages []models.ApprovalStageable) (pim.Stage, error) {
	var found pim.Stage
	rank := 0
	for _, s := range stages {
		if s == nil {
			continue
		}
		stage, r := stageOf(s), 1
		switch {
		case stage.AssignedToMe && open(stage):
			r = 4
		case stage.AssignedToMe:
			r = 3
		case open(stage):
			r = 2
		}
		if r >= rank {
			found, rank = stage, r
		}
	}
	if found.ID == "" {
		return pim.Stage{}, pim.Errorf(pim.NotFound, "PIM shows no approval for this request. Look at its card for what happened.")
	}
	return found, nil
}

func open(s pim.Stage) bool {
	return strings.EqualFold(s.Status, "InProgress") && (s.ReviewResult == "" || strings.EqualFold(s.ReviewResult, "NotReviewed"))
}

// Decide approves or denies as a person, and returns the stage as it was read before. It sends nothing when the stage is
// closed or not assigned to the person.
func (c *Client) Decide(ctx context.Context, as pim.Actor, ruling pim.Ruling) (pim.Stage, error) {
	stage, err := c.Assigned(ctx, as, ruling.ApprovalID)
	if err != nil {
		return pim.Stage{}, err
	}
	if err := decidable(stage); err != nil {
		return stage, err
	}
	result := "Deny"
	if ruling.Approve {
		result = "Approve"
	}
	body := models.NewApprovalStage()
	body.SetReviewResult(&result)
	body.SetJustification(&ruling.Justification)
	k, err := c.asPerson(opDecide, as)
	if err != nil {
		return stage, err
	}
	// Graph answers 204, for which the SDK gives neither a stage nor an error.
	return stage, k.do(ctx, func(ctx context.Context) error {
		_, err := k.stages(ruling.ApprovalID).ByApprovalStageId(stage.ID).Patch(ctx, body, nil)
		return err
	})
}

func decidable(s pim.Stage) error {
	switch {
	case strings.EqualFold(s.Status, "Initializing"):
		return pim.Errorf(pim.Unavailable, "PIM has not opened this approval yet. Nothing was changed; try again in a few seconds.")
	case strings.EqualFold(s.Status, "Expired"):
		return pim.Errorf(pim.Conflict, "This approval has expired in PIM. The access has to be asked for again.")
	case !open(s):
		return pim.Errorf(pim.Conflict, "Somebody has decided this request already. Look at its card for the decision.")
	case !s.AssignedToMe:
		return pim.Errorf(pim.Forbidden, "PIM refused: you are not an approver of this request. Ask one of those it names.")
	}
	return nil
}

func (k *call) stages(approvalID string) *identitygovernance.PrivilegedAccessGroupAssignmentApprovalsItemStagesRequestBuilder {
	return k.groupAccess().AssignmentApprovals().ByApprovalId(approvalID).Stages()
}

// unreadable is the error for a good status without the body it should have.
func (k *call) unreadable() error {
	return &pim.Error{
		Kind: pim.Unavailable, Message: "Microsoft Graph gave an answer without content. Try again in a minute.",
		RequestID: safeID(k.seen.header.Get("request-id")),
	}
}

// Waiting lists the requests that wait for this person's decision.
func (c *Client) Waiting(ctx context.Context, as pim.Actor) ([]pim.Copy, error) {
	var waiting []pim.Copy
	next := ""
	for range maxPages {
		page, following, err := c.waitingPage(ctx, as, next)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, page...)
		if following == "" {
			return waiting, nil
		}
		if next, err = c.ours(following); err != nil {
			return nil, err
		}
	}
	return nil, errEndless
}

func (c *Client) waitingPage(ctx context.Context, as pim.Actor, address string) ([]pim.Copy, string, error) {
	k, err := c.asPerson(opWaiting, as)
	if err != nil {
		return nil, "", err
	}
	approver, filter := "approver", "status eq 'PendingApproval'"
	builder := k.scheduleRequests().FilterByCurrentUserWithOn(&approver)
	config := &identitygovernance.PrivilegedAccessGroupAssignmentScheduleRequestsFilterByCurrentUserWithOnRequestBuilderGetRequestConfiguration{
		QueryParameters: &identitygovernance.PrivilegedAccessGroupAssignmentScheduleRequestsFilterByCurrentUserWithOnRequestBuilderGetQueryParameters{Filter: &filter},
	}
	if address != "" {
		builder, config = builder.WithUrl(address), nil
	}
	var answer identitygovernance.PrivilegedAccessGroupAssignmentScheduleRequestsFilterByCurrentUserWithOnGetResponseable
	err = k.do(ctx, func(ctx context.Context) (err error) {
		answer, err = builder.GetAsFilterByCurrentUserWithOnGetResponse(ctx, config)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if answer == nil {
		return nil, "", k.unreadable()
	}
	var page []pim.Copy
	for _, r := range answer.GetValue() {
		if r != nil && strings.EqualFold(str(r.GetStatus()), "PendingApproval") {
			page = append(page, copyOf(r))
		}
	}
	return page, str(answer.GetOdataNextLink()), nil
}

"""The endpoints of the organization that the key's user is in; most are for its administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_scheduling.client import MILLISECOND, PAGE_SIZE, WHOLE_PAGE, OrganizationStream, utc_milliseconds
from tap_scheduling.streams.user import MyProfile

if TYPE_CHECKING:
    from datetime import datetime


class OrganizationUsers(OrganizationStream):
    """One row per user of the organization: who the ids of hosts and members stand for."""

    name = "organization_users"
    path = "/organizations/{orgId}/users"
    filters = ("emails", "assignedOptionIds", "attributeQueryOperator", "teamIds")
    parent_stream_type = MyProfile
    page_size = WHOLE_PAGE


class OrganizationMemberships(OrganizationStream):
    """One row per member of the organization, with the attributes that the member has."""

    name = "organization_memberships"
    path = "/organizations/{orgId}/memberships"
    parent_stream_type = MyProfile
    page_size = WHOLE_PAGE


class OrganizationTeams(OrganizationStream):
    """One row per team of the organization; `teams` has those that the user is in."""

    name = "organization_teams"
    path = "/organizations/{orgId}/teams"
    parent_stream_type = MyProfile
    page_size = WHOLE_PAGE


class OrganizationOutOfOffice(OrganizationStream):
    """One row per time that somebody of the organization is away."""

    name = "organization_out_of_office"
    path = "/organizations/{orgId}/ooo"
    parent_stream_type = MyProfile
    params = {"sortStart": "asc"}
    filters = ("email",)
    page_size = WHOLE_PAGE
    order = "start"


class RoutingForms(OrganizationStream):
    """One row per routing form of the organization's teams; personal forms are not among them.

    Read whole each time: a response does not move a form's `updatedAt`, and each form can have new ones.
    """

    name = "routing_forms"
    path = "/organizations/{orgId}/routing-forms"
    parent_stream_type = MyProfile
    params = {"sortCreatedAt": "asc"}
    child_keys = {"routingFormId": "id"}
    filters = (
        *("afterCreatedAt", "beforeCreatedAt", "afterUpdatedAt", "beforeUpdatedAt"),
        *("routedToBookingUid", "teamIds"),
    )
    page_size = PAGE_SIZE
    order = "createdAt"


class RoutingFormResponses(OrganizationStream):
    """One row per time that a routing form was filled in, with the answers."""

    name = "routing_form_responses"
    path = "/organizations/{orgId}/routing-forms/{routingFormId}/responses"
    params = {"sortCreatedAt": "asc"}
    replication_key = "createdAt"
    bookmark_per = "routingFormId"
    filters = ("afterUpdatedAt", "beforeUpdatedAt", "routedToBookingUid")
    parent_stream_type = RoutingForms
    parent_fields = {**OrganizationStream.parent_fields, "formId": "routingFormId"}
    lookback = 7 * 86_400
    """The booking that a response led to is filled in later, and nothing tells when."""
    page_size = PAGE_SIZE
    order = "createdAt"

    @override
    def since(self, start: datetime) -> dict[str, Any]:
        """Responses by the time of their making."""
        return {"afterCreatedAt": utc_milliseconds(start)}

    @override
    def until(self, end: datetime) -> dict[str, Any]:
        """The same; the bound is inclusive."""
        return {"beforeCreatedAt": utc_milliseconds(end + MILLISECOND)}


class Attributes(OrganizationStream):
    """One row per attribute that members of the organization can have."""

    name = "attributes"
    path = "/organizations/{orgId}/attributes"
    parent_stream_type = MyProfile
    child_keys = {"attributeId": "id"}
    page_size = WHOLE_PAGE


class AttributeOptions(OrganizationStream):
    """One row per option of an attribute; `organization_memberships.attributes` has who has which."""

    name = "attribute_options"
    path = "/organizations/{orgId}/attributes/{attributeId}/options"
    parent_stream_type = Attributes
    parent_fields = {**OrganizationStream.parent_fields, "attributeId": "attributeId"}

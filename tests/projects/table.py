"""A review under way, with a project on its agenda that can be scheduled."""

from projects import services
from projects.models import Project
from projects.services import reviews as planning
from projects.services.deciding import Wish, decide
from tests import factories
from tests.projects.ready import Stage


class Table(Stage):
    """A stage with a review under way that has its project on the agenda."""

    def __init__(self, *, is_ready=True, **more):
        super().__init__(**more)
        if is_ready:
            services.move(self.project, "ready", by=self.lead, at=self.now)
        self.review = planning.plan_review(
            meets_at=self.now, invited=[self.engineer, self.leadership], by=self.lead, at=self.now
        )
        services.move(self.review, "open", by=self.lead, at=self.now)
        self.item = self.review.items.filter(project=self.project).first()
        if self.item is None:
            self.item = planning.add_item(self.review, self.project, by=self.lead, at=self.now)

    def decide(self, decision, by=None, *, at=None, item=None, reason="", version=None, **values):
        wish = Wish(
            decision=decision,
            note="So we said.",
            reason=reason,
            values=values,
            version=version,
            as_text=True,
        )
        return decide(item or self.item, wish, by=by or self.lead, at=at or self.now)

    def schedule(self, **more):
        return self.decide("schedule", increment=str(self.increment.uuid), **more)

    def state(self):
        self.project.refresh_from_db()
        return self.project.state

    def other(self, **more):
        """Another project, at work in the increment."""
        project = factories.ProjectFactory(owner=self.owner, state="in_progress", **more)
        Project.objects.filter(pk=project.pk).update(increment=self.increment)
        project.refresh_from_db()
        return project

    def finish(self):
        services.move(self.review, "finish", by=self.lead, at=self.now)
        self.review.refresh_from_db()
        return self.review.minutes

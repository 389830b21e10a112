"""The money behind a job: who put how much there, to whom it is promised, and what is owed."""

from backend.funding.models.funding import Funding, Seller
from backend.funding.models.owing import Allocation, Payable

__all__ = ["Allocation", "Funding", "Payable", "Seller"]

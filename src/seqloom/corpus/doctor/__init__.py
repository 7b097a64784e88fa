"""What is wrong with a corpus: found, weighed, named by the numbers of pairs, and explained."""

from seqloom.corpus.doctor.examination import Examination
from seqloom.corpus.doctor.examiner import examine
from seqloom.corpus.doctor.page import write_page

__all__ = ["Examination", "examine", "write_page"]

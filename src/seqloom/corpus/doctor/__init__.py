"""What is wrong with a corpus: found, weighed, named by the numbers of pairs, and explained."""

from seqloom.corpus.doctor.examination import Examination
from seqloom.corpus.doctor.examiner import examine
from seqloom.corpus.doctor.page import write_page
from seqloom.corpus.doctor.treatment import without

__all__ = ["Examination", "examine", "without", "write_page"]

from domain_ner.api import calibrate as calibrate
from domain_ner.api import compare as compare
from domain_ner.api import convert as convert
from domain_ner.api import evaluate as evaluate
from domain_ner.api import load as load
from domain_ner.api import read_corpus as read_corpus
from domain_ner.api import read_exports as read_exports
from domain_ner.api import show as show
from domain_ner.api import train as train
from domain_ner.errors import DomainNerError as DomainNerError
from domain_ner.guide.schema import load_guide as load_guide

__version__: str

"""One small file a framework, imported only when asked. Imported by workers: keep it light.

Adding a framework: write ``conformance/frameworks/NAME.py`` with an adapter class (see
:mod:`xent_conformance.frameworks.interface`) and add its line to :mod:`xent_conformance.discovery.framework`.
"""

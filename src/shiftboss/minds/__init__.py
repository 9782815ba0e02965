"""Language models as shiftboss uses them: asked a question, they give a reply. Nobody else knows a client."""
